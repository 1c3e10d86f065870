// Loupe (one), compare (two) and survey (up to nine): pictures side by side under one zoom.
import { Pane, previewOf } from "./pane.js";
import { Zoom } from "./zoom.js";

const LABELS = { loupe: "Loupe", compare: "Compare", survey: "Survey" };
const SWIPE = 48; // css px
const STEP = 96; // css px that a key pans
const AHEAD = [1, -1, 2];

export function openViewer(options) {
  return new Viewer(options);
}

class Viewer {
  constructor(options) {
    this.options = options;
    this.zoom = new Zoom();
    this.pointers = new Map();
    this.element = document.createElement("section");
    this.element.className = "viewer";
    this.element.tabIndex = -1;
    this.stage = document.createElement("div");
    this.stage.className = "viewer-stage";
    this.element.append(this.stage, this.#tools());
    this.panes = [];
    this.ahead = [];
    document.body.append(this.element);
    this.resize = new ResizeObserver(() => this.#arrange());
    this.resize.observe(this.stage);
    this.keys = (event) => this.#key(event);
    document.addEventListener("keydown", this.keys, true);
    this.#hands();
    this.show(options.frames, options.focus, options.mode);
    this.element.focus({ preventScroll: true });
  }

  get mode() {
    return this.how;
  }

  show(frames, focus = frames[0].number, mode = this.how) {
    this.how = mode;
    this.frames = [...frames];
    this.at = Math.max(0, frames.findIndex((frame) => frame.number === focus));
    this.element.setAttribute("aria-label", LABELS[mode]);
    this.element.dataset.mode = mode;
    while (this.panes.length < frames.length) {
      const pane = new Pane(this.options.link, this.zoom);
      this.panes.push(pane);
      this.stage.append(pane.element);
    }
    for (const pane of this.panes.splice(frames.length)) pane.element.remove();
    this.#arrange();
    this.panes.forEach((pane, place) => pane.show(this.#now(place), mode !== "loupe"));
    this.#point();
    if (mode === "loupe") this.#prefetch();
  }

  // Marks and stars may have changed.
  refresh() {
    this.panes.forEach((pane, place) => pane.marked(this.#now(place)));
  }

  numbers() {
    return this.frames.map((frame) => frame.number);
  }

  focused() {
    return this.frames[this.at].number;
  }

  // The next picture in the loupe, else the next pane.
  focus(delta) {
    if (this.how === "loupe") return this.replace(delta);
    this.at = (this.at + delta + this.frames.length * Math.abs(delta)) % this.frames.length;
    this.#point();
    this.options.onFocus(this.focused());
  }

  // Another candidate in the focused pane: it lies at the same place, as large as the one before.
  replace(delta) {
    const beside = this.numbers().filter((_, place) => place !== this.at);
    let next = this.options.onMove(delta);
    while (next && beside.includes(next.number)) next = this.options.onMove(delta);
    if (!next) return;
    this.frames[this.at] = next;
    this.show(this.frames, next.number);
    this.options.onFocus(next.number);
  }

  toggleZoom(at) {
    const pane = this.panes[this.at];
    const box = pane.box();
    this.zoom.toggle(box, pane.candidate, at || { x: box.width / 2, y: box.height / 2 });
    this.#lay();
  }

  close() {
    if (this.closed) return;
    this.closed = true;
    document.removeEventListener("keydown", this.keys, true);
    this.resize.disconnect();
    this.element.remove();
    this.options.onClose();
  }

  #now(place) {
    return this.options.state(this.frames[place].number) || this.frames[place];
  }

  #point() {
    this.panes.forEach((pane, place) => {
      const on = place === this.at && this.how !== "loupe";
      pane.element.classList.toggle("focused", on);
      if (this.how === "loupe") pane.element.removeAttribute("aria-current");
      else pane.element.setAttribute("aria-current", String(place === this.at));
    });
  }

  #lay() {
    if (this.laying) return;
    this.laying = true;
    requestAnimationFrame(() => {
      this.laying = false;
      for (const pane of this.panes) pane.lay();
      this.element.classList.toggle("zoomed", !this.zoom.fits);
      this.size.textContent = this.zoom.fits ? "100 %" : "Fit";
      this.size.setAttribute("aria-pressed", String(!this.zoom.fits));
    });
  }

  // The columns that show the smallest of the pictures largest.
  #arrange() {
    const count = this.panes.length;
    const width = this.stage.clientWidth, height = this.stage.clientHeight;
    let best = 1, most = 0;
    for (let columns = 1; columns <= count; columns++) {
      const box = { width: width / columns, height: height / Math.ceil(count / columns) };
      const sides = this.frames.map((frame) => Math.min(box.width / frame.width, box.height / frame.height));
      const least = Math.min(...sides.map((side, at) => side * Math.sqrt(this.frames[at].width * this.frames[at].height)));
      if (least > most) [best, most] = [columns, least];
    }
    this.stage.style.gridTemplateColumns = `repeat(${best}, minmax(0, 1fr))`;
    this.stage.style.gridTemplateRows = `repeat(${Math.ceil(count / best)}, minmax(0, 1fr))`;
    this.#lay();
  }

  #prefetch() {
    this.ahead = AHEAD.map((delta) => this.options.peek && this.options.peek(delta)).filter(Boolean).map((frame) => {
      const image = new Image();
      image.src = previewOf(this.options.link, frame);
      return image;
    });
  }

  #tools() {
    const bar = document.createElement("div");
    bar.className = "viewer-tools";
    const button = (words, name, shortcut, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = words;
      made.setAttribute("aria-label", name);
      if (shortcut) made.setAttribute("aria-keyshortcuts", shortcut);
      made.addEventListener("click", () => {
        act();
        if (!this.closed) this.element.focus({ preventScroll: true }); // keys go on meaning the picture
      });
      bar.append(made);
      return made;
    };
    button("←", "Previous", "ArrowLeft", () => this.focus(-1));
    button("→", "Next", "ArrowRight", () => this.focus(1));
    this.size = button("100 %", "100 %, or the whole picture", "Z", () => this.toggleZoom());
    button("×", "Close", "Escape", () => this.close());
    return bar;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const pane = this.panes[this.at];
    const box = pane.box(), middle = { x: box.width / 2, y: box.height / 2 };
    const pans = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    if (event.shiftKey && pans[event.key]) this.zoom.pan(...pans[event.key], box, pane.candidate);
    else if (event.key === "+" || event.key === "=") this.zoom.by(1.25, box, pane.candidate, middle);
    else if (event.key === "-") this.zoom.by(0.8, box, pane.candidate, middle);
    else if (this.how === "compare" && ["ArrowUp", "k"].includes(event.key)) this.replace(-1);
    else if (this.how === "compare" && ["ArrowDown", "j"].includes(event.key)) this.replace(1);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#lay();
  }

  #pane(event) {
    const place = this.panes.findIndex((pane) => pane.element.contains(event.target));
    return place >= 0 ? { place, pane: this.panes[place] } : null;
  }

  #in(pane, event) {
    const box = pane.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #hands() {
    const stage = this.stage;
    stage.addEventListener("wheel", (event) => {
      const found = this.#pane(event);
      if (!found) return;
      event.preventDefault();
      const ratio = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002));
      this.zoom.by(ratio, found.pane.box(), found.pane.candidate, this.#in(found.pane, event));
      this.#lay();
    }, { passive: false });
    stage.addEventListener("dblclick", (event) => {
      const found = this.#pane(event);
      if (found) this.toggleZoom(this.#in(found.pane, event));
    });
    stage.addEventListener("pointerdown", (event) => {
      const found = this.#pane(event);
      if (!found || event.button > 0) return;
      this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, from: event.clientX, ...found });
      stage.setPointerCapture(event.pointerId);
      if (found.place !== this.at) {
        this.at = found.place;
        this.#point();
        this.options.onFocus(this.focused());
      }
    });
    stage.addEventListener("pointermove", (event) => {
      const was = this.pointers.get(event.pointerId);
      if (!was) return;
      const box = was.pane.box();
      if (this.pointers.size === 2) {
        const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
        const before = Math.hypot(was.x - other.x, was.y - other.y);
        const now = Math.hypot(event.clientX - other.x, event.clientY - other.y);
        const at = this.#in(was.pane, { clientX: (event.clientX + other.x) / 2, clientY: (event.clientY + other.y) / 2 });
        if (before > 8) this.zoom.by(now / before, box, was.pane.candidate, at);
        was.from = other.from = NaN; // a pinch is no swipe
      } else {
        this.zoom.pan(event.clientX - was.x, event.clientY - was.y, box, was.pane.candidate);
      }
      was.x = event.clientX;
      was.y = event.clientY;
      this.#lay();
    });
    const up = (event) => {
      const was = this.pointers.get(event.pointerId);
      this.pointers.delete(event.pointerId);
      if (!was || event.type === "pointercancel" || !this.zoom.fits || this.how !== "loupe") return;
      const dx = event.clientX - was.from;
      if (Math.abs(dx) > SWIPE) this.focus(dx < 0 ? 1 : -1);
    };
    stage.addEventListener("pointerup", up);
    stage.addEventListener("pointercancel", up);
  }
}
