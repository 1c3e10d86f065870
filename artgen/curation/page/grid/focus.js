// The focused candidate and the selection.
import { plural } from "../data/format.js";

export class Focus {
  #anchor = null; // the candidate where a range of the selection starts

  constructor(sheet) {
    this.sheet = sheet;
  }

  get index() {
    return this.sheet.order.indexOf(this.sheet.focused);
  }

  /** Focus a candidate; unless `keepSelection`, the selection is cleared. */
  moveTo(number, keepSelection = false) {
    const { sheet } = this, previous = sheet.focused;
    if (number === undefined || number === null) return;
    if (!keepSelection) this.clearSelection();
    sheet.focused = number;
    const { index } = this;
    if (index >= 0) sheet.grid.reveal(index);
    sheet.grid.paint();
    sheet.grid.repaint([previous]);
    sheet.footer.update();
    sheet.scheduleSaveView();
  }

  moveToIndex(index, keepSelection = false) {
    const { numbers } = this.sheet.order;
    if (numbers.length) this.moveTo(numbers[Math.max(0, Math.min(numbers.length - 1, index))], keepSelection);
  }

  /** The candidate `delta` cells further, or null at either end. */
  adjacent(delta) {
    return this.sheet.order.numbers[Math.max(0, this.index) + delta] ?? null;
  }

  moveBy(delta, keepSelection) {
    const next = this.adjacent(delta);
    if (next !== null) this.moveTo(next, keepSelection);
  }

  /** Move up or down; above a shorter last row, down leads to its last cell. */
  moveByRows(rows, keepSelection) {
    const { columns } = this.sheet.grid, last = this.sheet.order.numbers.length - 1;
    const index = Math.max(0, this.index), target = index + rows * columns;
    const rowOf = (cell) => Math.floor(cell / columns);
    if (target >= 0 && target <= last) this.moveToIndex(target, keepSelection);
    else if (rows > 0 && rowOf(index) < rowOf(last)) this.moveToIndex(last, keepSelection);
    else if (rows < 0 && rowOf(index) > 0) this.moveToIndex(index % columns, keepSelection);
  }

  moveByPages(pages, keepSelection) {
    this.moveByRows(pages * this.sheet.grid.rows, keepSelection);
  }

  moveToNextUndecided() {
    const next = this.sheet.order.nextUndecided(this.index);
    if (next < 0) return this.sheet.showToast("Everything shown here is decided.");
    if (next !== this.index) this.moveToIndex(next);
  }

  /** What keys act on: the selection in the order shown, or else the focused candidate. */
  targets() {
    const { selection, order, focused } = this.sheet;
    if (selection.size) return [...selection].sort((a, b) => order.indexOf(a) - order.indexOf(b));
    return focused === null ? [] : [focused];
  }

  toggleSelected(number) {
    const { selection } = this.sheet;
    if (!this.sheet.candidates.get(number)) return;
    if (!selection.delete(number)) selection.add(number);
    this.#anchor = number;
    this.moveTo(number, true);
    this.#selectionChanged([number]);
  }

  /** Select from the anchor to an index, and focus that. */
  extendSelection(index) {
    const { selection, order } = this.sheet, { numbers } = order;
    const target = Math.max(0, Math.min(numbers.length - 1, index));
    const hasAnchor = selection.size && order.indexOf(this.#anchor) >= 0;
    if (!hasAnchor) this.#anchor = this.sheet.focused;
    const anchor = order.indexOf(this.#anchor), previous = [...selection];
    this.#replaceSelection(numbers.slice(Math.min(anchor, target), Math.max(anchor, target) + 1));
    this.moveTo(numbers[target], true);
    this.#selectionChanged([...previous, ...selection]);
  }

  selectAll() {
    this.select(this.sheet.order.numbers);
    this.sheet.showToast(plural(this.sheet.selection.size, "candidate") + " selected: keys now act on all of them.");
  }

  /** Select those of the candidates that are shown. */
  select(numbers) {
    const { selection, order } = this.sheet, previous = [...selection];
    this.#replaceSelection(numbers.filter((number) => order.indexOf(number) >= 0));
    this.#selectionChanged([...previous, ...selection]);
  }

  /** Deselect what the list no longer shows: a key must not act on it. */
  deselectHidden() {
    const { selection, order } = this.sheet;
    for (const number of [...selection]) if (order.indexOf(number) < 0) selection.delete(number);
  }

  /** Returns whether anything was selected. */
  clearSelection() {
    const { selection } = this.sheet, previous = [...selection];
    if (!previous.length) return false;
    selection.clear();
    this.#selectionChanged(previous);
    return true;
  }

  /** Queued variations cannot be selected. */
  #replaceSelection(numbers) {
    const { selection, candidates } = this.sheet;
    selection.clear();
    for (const number of numbers) if (candidates.get(number)) selection.add(number);
  }

  #selectionChanged(numbers) {
    this.sheet.grid.repaint(numbers);
    this.sheet.header.update();
  }
}
