// The viewer over the grid: one candidate (loupe), two (compare) or up to nine (survey) side by side under one zoom.
import { createElement, hasModifier } from "../dom.js";
import { listenToGestures } from "./gestures.js";
import { Pane, previewUrl } from "./pane.js";
import { Zoom } from "./zoom.js";

const MODE_LABELS = { loupe: "Loupe", compare: "Compare", survey: "Survey" };
const PAN_STEP = 96; // css px for a key
const PREFETCHED = [1, -1, 2]; // candidates relative to the one in the loupe

export class Viewer {
  /**
   * @param options {api, mode, candidates, focused}; `adjacent(delta)`: the candidate that far from the focus, or
   *   null; `current(number)`: a candidate as it now is; `onMove(delta)`: move the focus, returns the candidate
   *   there or null; `onFocus(number)`; `onClose()`.
   */
  constructor(options) {
    this.options = options;
    this.zoom = new Zoom();
    this.area = createElement("div", { class: "viewer-panes" });
    this.element = createElement("section", { class: "viewer", tabindex: "-1" }, this.area, this.#createTools());
    this.panes = [];
    document.body.append(this.element);
    this.resizeObserver = new ResizeObserver(() => this.#layOutPanes());
    this.resizeObserver.observe(this.area);
    this.keyListener = (event) => this.#onKey(event);
    document.addEventListener("keydown", this.keyListener, true);
    listenToGestures(this);
    this.show(options.candidates, options.focused, options.mode);
    this.element.focus({ preventScroll: true });
  }

  show(candidates, focused = candidates[0].number, mode = this.mode) {
    this.mode = mode;
    this.candidates = [...candidates];
    this.focusedPane = Math.max(0, candidates.findIndex(({ number }) => number === focused)); // index
    this.element.setAttribute("aria-label", MODE_LABELS[mode]);
    this.element.dataset.mode = mode;
    while (this.panes.length < candidates.length) {
      const pane = new Pane(this.options.api, this.zoom);
      this.panes.push(pane);
      this.area.append(pane.element);
    }
    for (const pane of this.panes.splice(candidates.length)) pane.element.remove();
    this.#layOutPanes();
    this.panes.forEach((pane, index) => pane.show(this.#current(index), mode !== "loupe"));
    this.#markFocusedPane();
    if (mode === "loupe") this.#prefetch();
  }

  /** Call when decisions have changed. */
  refresh() {
    this.panes.forEach((pane, index) => pane.updateLabel(this.#current(index)));
  }

  numbers() {
    return this.candidates.map(({ number }) => number);
  }

  focused() {
    return this.candidates[this.focusedPane].number;
  }

  /** Move to the next candidate in the loupe, or to the next pane. */
  moveBy(delta) {
    const { length } = this.candidates;
    if (this.mode === "loupe") this.replace(delta);
    else this.focusPane((this.focusedPane + delta + length * Math.abs(delta)) % length);
  }

  focusPane(index) {
    this.focusedPane = index;
    this.#markFocusedPane();
    this.options.onFocus(this.focused());
  }

  /** Show another candidate in the focused pane, at the same place and zoom. */
  replace(delta) {
    const others = this.numbers().filter((_, index) => index !== this.focusedPane);
    let next = this.options.onMove(delta);
    while (next && others.includes(next.number)) next = this.options.onMove(delta);
    if (!next) return;
    this.candidates[this.focusedPane] = next;
    this.show(this.candidates, next.number);
    this.options.onFocus(next.number);
  }

  /** `point`: css px in the focused pane that stay where they are; its middle if left out. */
  toggleZoom(point) {
    const pane = this.panes[this.focusedPane];
    this.zoom.toggle(pane.box(), pane.candidate, point ?? pane.middle());
    this.redraw();
  }

  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    document.removeEventListener("keydown", this.keyListener, true);
    this.resizeObserver.disconnect();
    this.element.remove();
    this.options.onClose();
  }

  /** Apply the zoom to all panes in the next frame. */
  redraw() {
    if (this.isRedrawing) return;
    this.isRedrawing = true;
    requestAnimationFrame(() => {
      this.isRedrawing = false;
      for (const pane of this.panes) pane.layOut();
      this.element.classList.toggle("zoomed", !this.zoom.fits);
      this.zoomButton.textContent = this.zoom.fits ? "100 %" : "Fit";
      this.zoomButton.setAttribute("aria-pressed", String(!this.zoom.fits));
    });
  }

  #current(index) {
    return this.options.current(this.candidates[index].number) || this.candidates[index];
  }

  #markFocusedPane() {
    const isLoupe = this.mode === "loupe";
    this.panes.forEach(({ element }, index) => {
      element.classList.toggle("focused", index === this.focusedPane && !isLoupe);
      if (isLoupe) element.removeAttribute("aria-current");
      else element.setAttribute("aria-current", String(index === this.focusedPane));
    });
  }

  /** Use the number of columns that shows the smallest of the pictures largest. */
  #layOutPanes() {
    const count = this.panes.length, { clientWidth, clientHeight } = this.area;
    let best = 1, bestSide = 0;
    for (let columns = 1; columns <= count; columns += 1) {
      const width = clientWidth / columns, height = clientHeight / Math.ceil(count / columns);
      const smallest = Math.min(...this.candidates.map((candidate) =>
        Math.min(width / candidate.width, height / candidate.height) * Math.sqrt(candidate.width * candidate.height)));
      if (smallest > bestSide) [best, bestSide] = [columns, smallest];
    }
    this.area.style.gridTemplateColumns = `repeat(${best}, minmax(0, 1fr))`;
    this.area.style.gridTemplateRows = `repeat(${Math.ceil(count / best)}, minmax(0, 1fr))`;
    this.redraw();
  }

  /** The images are kept, so that the browser does not drop them. */
  #prefetch() {
    const candidates = PREFETCHED.map((delta) => this.options.adjacent(delta)).filter(Boolean);
    this.prefetched = candidates.map((candidate) =>
      createElement("img", { src: previewUrl(this.options.api, candidate) }));
  }

  #createTools() {
    const button = (text, name, shortcut, act) => {
      const attributes = { type: "button", "aria-label": name, "aria-keyshortcuts": shortcut };
      const element = createElement("button", attributes, text);
      element.addEventListener("click", () => {
        act();
        if (!this.isClosed) this.element.focus({ preventScroll: true }); // keys still act on the picture
      });
      return element;
    };
    this.zoomButton = button("100 %", "100 %, or the whole picture", "Z", () => this.toggleZoom());
    return createElement("div", { class: "viewer-tools" },
      button("←", "Previous", "ArrowLeft", () => this.moveBy(-1)),
      button("→", "Next", "ArrowRight", () => this.moveBy(1)),
      this.zoomButton,
      button("×", "Close", "Escape", () => this.close()));
  }

  #onKey(event) {
    if (hasModifier(event) || document.querySelector("dialog[open]")) return;
    const pane = this.panes[this.focusedPane], box = pane.box();
    const pans = {
      ArrowLeft: [PAN_STEP, 0], ArrowRight: [-PAN_STEP, 0], ArrowUp: [0, PAN_STEP], ArrowDown: [0, -PAN_STEP],
    };
    if (event.shiftKey && pans[event.key]) this.zoom.pan(...pans[event.key], box, pane.candidate);
    else if (event.key === "+" || event.key === "=") this.zoom.zoomBy(1.25, box, pane.candidate, pane.middle());
    else if (event.key === "-") this.zoom.zoomBy(0.8, box, pane.candidate, pane.middle());
    else if (this.mode === "compare" && ["ArrowUp", "k"].includes(event.key)) this.replace(-1);
    else if (this.mode === "compare" && ["ArrowDown", "j"].includes(event.key)) this.replace(1);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.redraw();
  }
}
