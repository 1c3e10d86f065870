// The windowed grid: only the rows on the screen and a few more are in the document, and their cells are used
// again. Cells have one size, so that nothing ever moves.
import { nameOf, stateOf } from "./words.js";

const GAP = 4; // px
const SPARE = 2; // rows above and below the screen
const WIDTHS = [72, 96, 120, 150, 190, 240, 320]; // px, at least, on a wide page
const ACROSS = [6, 5, 4, 3, 2, 1]; // cells in a row on a phone
const PHONE = 640; // px
const QUIET = 60; // ms without a scroll before all that is on the screen, and the next one, is fetched
const LATE = 22; // ms between two frames of a flick: then none begins to load in the next one
const A_FRAME = 2; // thumbnails that begin to load in each of the others
const SIGNS = { kept: "tick", rejected: "cross" };

export class Grid {
  columns = 1;
  #cells = new Map(); // number -> cell
  #free = [];
  #place = { width: 0, height: 0 };
  #top = 0;
  #painted = -Infinity;

  /** `desk`: {frames, places, pictures, selection, focus}, of which it reads only. */
  constructor(scroller, plane, desk) {
    Object.assign(this, { scroller, plane, desk });
    const shapes = new Set([...desk.frames.all.values()].map(({ width, height }) => (width / height).toFixed(3)));
    this.ratio = shapes.size === 1 ? Number([...shapes][0]) : 1;
    scroller.addEventListener("scroll", () => this.paint(), { passive: true });
    new ResizeObserver(() => this.layout()).observe(scroller);
  }

  /** Larger (1) or smaller (-1) thumbnails; this browser remembers. Returns whether there was a next size. */
  resize(step) {
    const { sizes, at, key } = this.#sizes(), next = at + step;
    if (next < 0 || next >= sizes.length) return false;
    try { localStorage.setItem(key, String(sizes[next])); } catch { /* then it lasts until the page goes */ }
    this.chosen = { ...this.chosen, [key]: sizes[next] };
    this.layout();
    return true;
  }

  layout() {
    const { clientWidth, clientHeight } = this.scroller;
    if (!clientWidth) return;
    const { sizes, at } = this.#sizes(), inner = clientWidth - 2 * GAP;
    const columns = sizes === ACROSS ? ACROSS[at] : Math.max(1, Math.floor((inner + GAP) / (sizes[at] + GAP)));
    const width = Math.floor((inner + GAP) / columns) - GAP;
    const anchor = this.columns * Math.floor(this.scroller.scrollTop / (this.#place.height + GAP || 1));
    const changed = columns !== this.columns || width !== this.#place.width;
    this.columns = columns;
    this.#place = { width, height: Math.round(width / this.ratio) };
    this.view = clientHeight;
    this.plane.style.setProperty("--width", width + "px");
    this.plane.style.setProperty("--height", this.#place.height + "px");
    for (const cell of this.#cells.values()) cell.at = -1;
    this.paint();
    if (!changed) return;
    const focused = this.desk.places.at(this.desk.focus);
    this.scroller.scrollTop = Math.floor(anchor / columns) * this.#pitch;
    if (focused >= 0) this.reveal(focused);
    this.paint();
  }

  /** Whole rows that fit on the screen. */
  get rows() {
    return Math.max(1, Math.floor((this.view - GAP) / this.#pitch));
  }

  /** Bring a place onto the screen by as little as is needed. */
  reveal(place) {
    const top = GAP + Math.floor(place / this.columns) * this.#pitch;
    const { scrollTop } = this.scroller;
    if (top - GAP < scrollTop) this.scroller.scrollTop = top - GAP;
    else if (top + this.#pitch > scrollTop + this.view) this.scroller.scrollTop = top + this.#pitch - this.view;
  }

  /** The list, what is on the screen of it, or the focus has changed: cells come, go and move. */
  paint() {
    const { list } = this.desk.places, pitch = this.#pitch, { scrollTop } = this.scroller;
    const rows = Math.ceil(list.length / this.columns);
    this.plane.style.height = (rows ? rows * pitch + GAP : 0) + "px";
    const first = Math.floor((scrollTop - GAP) / pitch), last = Math.ceil((scrollTop + this.view) / pitch);
    const from = Math.max(0, first - SPARE) * this.columns;
    const to = Math.min(list.length, (last + SPARE) * this.columns);
    this.desk.places.seen = Math.max(this.desk.places.seen, Math.min(list.length, last * this.columns) - 1);
    const wanted = new Set(list.slice(from, to));
    const focused = this.desk.places.at(this.desk.focus);
    if (focused >= 0) wanted.add(this.desk.focus); // what aria-activedescendant names must be there
    for (const [number, cell] of this.#cells) if (!wanted.has(number)) this.#release(number, cell);
    for (let place = from; place < to; place += 1) this.#show(list[place], place);
    if (focused >= 0 && (focused < from || focused >= to)) this.#show(this.desk.focus, focused);
    const now = performance.now(), since = scrollTop === this.#top ? Infinity : now - this.#painted;
    this.#painted = now;
    const seen = list.slice(Math.max(0, first * this.columns), last * this.columns);
    this.#fill([...seen, ...wanted], since > QUIET ? Infinity : since > LATE ? 0 : A_FRAME);
    if (focused >= 0) this.plane.setAttribute("aria-activedescendant", "c" + this.desk.focus);
    else this.plane.removeAttribute("aria-activedescendant");
    this.#prefetch(scrollTop < this.#top ? from - (to - from) : to, to - from);
    this.#top = scrollTop;
  }

  /** What is to be said about these candidates has changed. */
  repaint(numbers) {
    for (const number of numbers) {
      const cell = this.#cells.get(number);
      if (cell) this.#dress(cell, number);
    }
    this.#fill(numbers, Infinity);
  }

  repaintAll() {
    this.repaint([...this.#cells.keys()]);
  }

  take() {
    this.plane.focus({ preventScroll: true });
  }

  get #pitch() {
    return this.#place.height + GAP;
  }

  #sizes() {
    const phone = window.innerWidth < PHONE, sizes = phone ? ACROSS : WIDTHS;
    const key = phone ? "artgen:across" : "artgen:width";
    let size = this.chosen?.[key];
    try { size ??= Number(localStorage.getItem(key)); } catch { /* closed to this page */ }
    const at = sizes.indexOf(size);
    return { sizes, at: at < 0 ? (phone ? 3 : 4) : at, key };
  }

  #release(number, cell) {
    this.#cells.delete(number);
    this.desk.pictures.release(number);
    cell.hidden = true;
    cell.number = null;
    this.#free.push(cell);
  }

  #show(number, place) {
    let cell = this.#cells.get(number);
    if (!cell) {
      cell = this.#free.pop() ?? this.#build();
      cell.number = number;
      cell.id = "c" + number;
      cell.at = -1;
      cell.look = "";
      cell.frame.replaceChildren();
      cell.owed = true;
      cell.hidden = false;
      this.#cells.set(number, cell);
    }
    const total = this.desk.places.list.length;
    if (cell.at !== place || cell.total !== total) {
      cell.at = place;
      cell.total = total;
      const x = GAP + (place % this.columns) * (this.#place.width + GAP);
      const y = GAP + Math.floor(place / this.columns) * this.#pitch;
      cell.style.transform = "translate(" + x + "px, " + y + "px)";
      cell.setAttribute("aria-posinset", place + 1);
      cell.setAttribute("aria-setsize", total);
    }
    this.#dress(cell, number);
  }

  #dress(cell, number) {
    const frame = this.desk.frames.get(number), { selection, places, focus } = this.desk;
    const folded = places.folded.get(number) ?? 0;
    const selected = selection.has(number);
    const parent = frame ? frame.variationOf : this.desk.frames.queued.get(number);
    const names = ["cell"];
    if (frame?.mark) names.push(frame.mark);
    if (frame && this.desk.frames.leftBehind(frame)) names.push("behind");
    if (number === focus) names.push("focused");
    if (selected) names.push("selected");
    if (!frame) names.push("queued");
    const words = frame
      ? [nameOf(frame), ...stateOf(frame, this.desk.frames), ...(folded ? [folded + " much like it folded"] : [])].join(", ")
      : number + ", variation of " + parent + ", still to be drawn";
    const look = names.join(" ") + "|" + words;
    if (cell.look === look) return;
    cell.look = look;
    if (frame && !cell.frame.firstChild) cell.owed = true;
    cell.className = names.join(" ");
    cell.setAttribute("aria-label", words);
    cell.setAttribute("aria-selected", String(selected));
    cell.sign.className = "sign " + (SIGNS[frame?.mark] ?? "none");
    cell.stars.textContent = "\u2605".repeat(frame?.stars ?? 0);
    cell.parent.textContent = parent === null || parent === undefined ? "" : "\u2248 " + parent;
    cell.folded.textContent = folded ? "+" + folded : "";
  }

  /** Give cells their pictures, the first ones first; at most so many that are not there yet. */
  #fill(numbers, most) {
    const { frames, pictures } = this.desk;
    for (const number of numbers) {
      const cell = this.#cells.get(number);
      if (!cell?.owed || !frames.get(number)) continue;
      if (!pictures.has(number)) {
        if (most <= 0) continue;
        most -= 1;
      }
      cell.owed = false;
      cell.frame.replaceChildren(pictures.take(number));
    }
  }

  #build() {
    const cell = document.createElement("div");
    cell.setAttribute("role", "option");
    for (const name of ["frame", "sign", "stars", "parent", "folded", "chosen"]) {
      const part = document.createElement("span");
      part.className = name;
      cell[name] = part;
      cell.append(part);
    }
    this.plane.append(cell);
    return cell;
  }

  #prefetch(from, count) {
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      this.#fill(this.#cells.keys(), Infinity);
      for (const number of this.desk.places.list.slice(Math.max(0, from), Math.max(0, from + count))) {
        if (this.desk.frames.get(number)) this.desk.pictures.take(number);
      }
    }, QUIET);
  }
}
