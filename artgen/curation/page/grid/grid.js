// The windowed grid: only the rows on the screen and a few more are in the document, and their cells are reused.
// All cells have one size, so nothing moves when candidates arrive.
import { readStored, writeStored } from "../data/storage.js";
import { assignCell, createCell, updateCell } from "./cell.js";

const GAP = 4; // px
const SPARE_ROWS = 2; // above and below the screen
const CELL_WIDTHS = [72, 96, 120, 150, 190, 240, 320]; // px, at least, on a wide page
const PHONE_COLUMNS = [6, 5, 4, 3, 2, 1];
const PHONE_WIDTH = 640; // px
const SCROLL_END_MS = 60; // without a scroll before all thumbnails on the screen, and the next one, are loaded
const SLOW_FRAME_MS = 22; // after a frame this slow while scrolling, no thumbnail starts to load in the next one
const LOADS_PER_FRAME = 2; // thumbnails that start to load in each of the others

export class Grid {
  columns = 1;
  #cells = new Map(); // number -> cell
  #unusedCells = [];
  #cellSize = { width: 0, height: 0 };
  #lastScrollTop = 0;
  #lastPaint = -Infinity; // ms

  /** `sheet`: {candidates, order, thumbnails, selection, focused}, which is only read. */
  constructor(scroller, container, sheet) {
    Object.assign(this, { scroller, container, sheet });
    const ratios = new Set(
      [...sheet.candidates.byNumber.values()].map(({ width, height }) => (width / height).toFixed(3)));
    this.ratio = ratios.size === 1 ? Number([...ratios][0]) : 1;
    scroller.addEventListener("scroll", () => this.paint(), { passive: true });
    new ResizeObserver(() => this.layOut()).observe(scroller);
  }

  /** Make thumbnails larger (1) or smaller (-1), if there is such a size; this browser remembers it. */
  resize(step) {
    const { sizes, index, key } = this.#sizes(), next = index + step;
    if (next < 0 || next >= sizes.length) return;
    writeStored(key, sizes[next]);
    this.chosenSizes = { ...this.chosenSizes, [key]: sizes[next] };
    this.layOut();
  }

  layOut() {
    const { clientWidth, clientHeight } = this.scroller;
    if (!clientWidth) return;
    const { sizes, index } = this.#sizes(), inner = clientWidth - 2 * GAP;
    const columns = sizes === PHONE_COLUMNS
      ? sizes[index] : Math.max(1, Math.floor((inner + GAP) / (sizes[index] + GAP)));
    const width = Math.floor((inner + GAP) / columns) - GAP;
    const firstVisible = this.columns * Math.floor(this.scroller.scrollTop / (this.#cellSize.height + GAP || 1));
    const changed = columns !== this.columns || width !== this.#cellSize.width;
    this.columns = columns;
    this.#cellSize = { width, height: Math.round(width / this.ratio) };
    this.viewHeight = clientHeight;
    this.container.style.setProperty("--width", width + "px");
    this.container.style.setProperty("--height", this.#cellSize.height + "px");
    for (const cell of this.#cells.values()) cell.index = -1;
    this.paint();
    if (!changed) return;
    const focusedIndex = this.#focusedIndex;
    this.scroller.scrollTop = Math.floor(firstVisible / columns) * this.#rowHeight;
    if (focusedIndex >= 0) this.reveal(focusedIndex);
    this.paint();
  }

  /** Whole rows that fit on the screen. */
  get rows() {
    return Math.max(1, Math.floor((this.viewHeight - GAP) / this.#rowHeight));
  }

  /** Scroll no more than needed to show the cell at an index. */
  reveal(index) {
    const top = GAP + Math.floor(index / this.columns) * this.#rowHeight;
    const { scrollTop } = this.scroller;
    if (top - GAP < scrollTop) this.scroller.scrollTop = top - GAP;
    else if (top + this.#rowHeight > scrollTop + this.viewHeight) {
      this.scroller.scrollTop = top + this.#rowHeight - this.viewHeight;
    }
  }

  /** Call when the list, the scroll position or the focus has changed: cells come, go and move. */
  paint() {
    const { order, focused } = this.sheet, { numbers } = order, rowHeight = this.#rowHeight;
    const { scrollTop } = this.scroller, rows = Math.ceil(numbers.length / this.columns);
    this.container.style.height = (rows ? rows * rowHeight + GAP : 0) + "px";
    const firstRow = Math.floor((scrollTop - GAP) / rowHeight);
    const endRow = Math.ceil((scrollTop + this.viewHeight) / rowHeight);
    const start = Math.max(0, firstRow - SPARE_ROWS) * this.columns;
    const end = Math.min(numbers.length, (endRow + SPARE_ROWS) * this.columns);
    order.lastSeen = Math.max(order.lastSeen, Math.min(numbers.length, endRow * this.columns) - 1);
    const wanted = new Set(numbers.slice(start, end)), focusedIndex = this.#focusedIndex;
    if (focusedIndex >= 0) wanted.add(focused); // aria-activedescendant must name an element in the document
    for (const [number, cell] of this.#cells) if (!wanted.has(number)) this.#release(number, cell);
    for (let index = start; index < end; index += 1) this.#show(numbers[index], index);
    if (focusedIndex >= 0 && (focusedIndex < start || focusedIndex >= end)) this.#show(focused, focusedIndex);
    const visible = numbers.slice(Math.max(0, firstRow * this.columns), endRow * this.columns);
    this.#loadThumbnails([...visible, ...wanted], this.#loadLimit(scrollTop));
    if (focusedIndex >= 0) this.container.setAttribute("aria-activedescendant", "c" + focused);
    else this.container.removeAttribute("aria-activedescendant");
    this.#prefetch(scrollTop < this.#lastScrollTop ? start - (end - start) : end, end - start);
    this.#lastScrollTop = scrollTop;
  }

  /** Call when the state of these candidates has changed. */
  repaint(numbers) {
    for (const number of numbers) {
      const cell = this.#cells.get(number);
      if (cell) updateCell(cell, this.sheet);
    }
    this.#loadThumbnails(numbers, Infinity);
  }

  repaintAll() {
    this.repaint([...this.#cells.keys()]);
  }

  /** Give the grid the keyboard focus. */
  focus() {
    this.container.focus({ preventScroll: true });
  }

  get #rowHeight() {
    return this.#cellSize.height + GAP;
  }

  get #focusedIndex() {
    return this.sheet.order.indexOf(this.sheet.focused);
  }

  #sizes() {
    const isPhone = window.innerWidth < PHONE_WIDTH, sizes = isPhone ? PHONE_COLUMNS : CELL_WIDTHS;
    const key = isPhone ? "artgen:across" : "artgen:width";
    const index = sizes.indexOf(this.chosenSizes?.[key] ?? readStored(key));
    return { sizes, index: index < 0 ? (isPhone ? 3 : 4) : index, key };
  }

  /** How many thumbnails may start to load in this frame. */
  #loadLimit(scrollTop) {
    const now = performance.now(), isScrolling = scrollTop !== this.#lastScrollTop;
    const elapsed = isScrolling ? now - this.#lastPaint : Infinity;
    this.#lastPaint = now;
    if (elapsed > SCROLL_END_MS) return Infinity;
    return elapsed > SLOW_FRAME_MS ? 0 : LOADS_PER_FRAME;
  }

  #release(number, cell) {
    this.#cells.delete(number);
    this.sheet.thumbnails.release(number);
    cell.hidden = true;
    cell.number = null;
    this.#unusedCells.push(cell);
  }

  #show(number, index) {
    let cell = this.#cells.get(number);
    if (!cell) {
      cell = this.#unusedCells.pop() ?? this.container.appendChild(createCell());
      assignCell(cell, number);
      this.#cells.set(number, cell);
    }
    const total = this.sheet.order.numbers.length;
    if (cell.index !== index || cell.total !== total) {
      cell.index = index;
      cell.total = total;
      const x = GAP + (index % this.columns) * (this.#cellSize.width + GAP);
      const y = GAP + Math.floor(index / this.columns) * this.#rowHeight;
      cell.style.transform = "translate(" + x + "px, " + y + "px)";
      cell.setAttribute("aria-posinset", index + 1);
      cell.setAttribute("aria-setsize", total);
    }
    updateCell(cell, this.sheet);
  }

  /** Put thumbnails into cells, in the order given; at most `limit` that are not loading yet. */
  #loadThumbnails(numbers, limit) {
    const { candidates, thumbnails } = this.sheet;
    for (const number of numbers) {
      const cell = this.#cells.get(number);
      if (!cell?.needsThumbnail || !candidates.get(number)) continue;
      if (!thumbnails.has(number)) {
        if (limit <= 0) continue;
        limit -= 1;
      }
      cell.needsThumbnail = false;
      cell.parts.picture.replaceChildren(thumbnails.get(number));
    }
  }

  #prefetch(start, count) {
    clearTimeout(this.prefetchTimer);
    this.prefetchTimer = setTimeout(() => {
      this.#loadThumbnails(this.#cells.keys(), Infinity);
      for (const number of this.sheet.order.numbers.slice(Math.max(0, start), Math.max(0, start + count))) {
        if (this.sheet.candidates.get(number)) this.sheet.thumbnails.get(number);
      }
    }, SCROLL_END_MS);
  }
}
