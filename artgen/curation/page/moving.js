// Where the focus is, and what is selected.
import { plural } from "./words.js";

export class Moving {
  #anchor = null; // where a range begins

  constructor(desk) {
    this.desk = desk;
  }

  get place() {
    return this.desk.places.at(this.desk.focus);
  }

  /** Focus a candidate. `selecting`: the selection stays. */
  go(number, selecting = false) {
    const { desk } = this, before = desk.focus;
    if (number === undefined || number === null) return;
    if (!selecting) this.clear();
    desk.focus = number;
    const place = this.place;
    if (place >= 0) desk.grid.reveal(place);
    desk.grid.paint();
    desk.grid.repaint([before]);
    desk.footer.show();
    desk.remember();
  }

  goTo(place, selecting = false) {
    const { list } = this.desk.places;
    if (list.length) this.go(list[Math.max(0, Math.min(list.length - 1, place))], selecting);
  }

  /** The place `delta` further, or null at the end. */
  beside(delta) {
    return this.desk.places.list[Math.max(0, this.place) + delta] ?? null;
  }

  by(delta, selecting) {
    const next = this.beside(delta);
    if (next !== null) this.go(next, selecting);
  }

  /** A row up or down; from above a last, shorter row to its last place. */
  byRows(rows, selecting) {
    const { columns } = this.desk.grid, last = this.desk.places.list.length - 1;
    const place = Math.max(0, this.place), target = place + rows * columns;
    const row = (at) => Math.floor(at / columns);
    if (target >= 0 && target <= last) this.goTo(target, selecting);
    else if (rows > 0 && row(place) < row(last)) this.goTo(last, selecting);
    else if (rows < 0 && row(place) > 0) this.goTo(place % columns, selecting);
  }

  byPages(pages, selecting) {
    this.byRows(pages * this.desk.grid.rows, selecting);
  }

  toNextUndecided() {
    const { desk } = this, next = desk.places.undecidedAfter(this.place);
    if (next < 0) return desk.say("All that is shown here is decided.");
    if (next !== this.place) this.goTo(next);
  }

  /** The selection in the order shown, or what is focused. */
  targets() {
    const { selection, places, focus } = this.desk;
    if (selection.size) return [...selection].sort((a, b) => places.at(a) - places.at(b));
    return focus === null ? [] : [focus];
  }

  toggle(number) {
    const { selection } = this.desk;
    if (!this.desk.frames.get(number)) return;
    if (!selection.delete(number)) selection.add(number);
    this.#anchor = number;
    this.go(number, true);
    this.#selected([number]);
  }

  /** Select from where the last range began to a place, and focus that. */
  extendTo(place) {
    const { list } = this.desk.places, { selection, frames } = this.desk;
    const target = Math.max(0, Math.min(list.length - 1, place));
    const anchored = selection.size && this.desk.places.at(this.#anchor) >= 0;
    if (!anchored) this.#anchor = this.desk.focus;
    const from = this.desk.places.at(this.#anchor);
    const changed = [...selection];
    selection.clear();
    for (const number of list.slice(Math.min(from, target), Math.max(from, target) + 1)) {
      if (frames.get(number)) selection.add(number);
    }
    this.go(list[target], true);
    this.#selected([...changed, ...selection]);
  }

  selectAll() {
    this.select(this.desk.places.list);
    this.desk.say(plural(this.desk.selection.size, "candidate") + " selected: keys now act on all of them.");
  }

  select(numbers) {
    const { selection, frames, places } = this.desk;
    const changed = [...selection];
    selection.clear();
    for (const number of numbers) if (frames.get(number) && places.at(number) >= 0) selection.add(number);
    this.#selected([...changed, ...selection]);
  }

  /** The list is another one: a key must not act on what is not in it. */
  keepShown() {
    const { selection, places } = this.desk;
    const hidden = [...selection].filter((number) => places.at(number) < 0);
    for (const number of hidden) selection.delete(number);
  }

  /** Select nothing; returns whether something was selected. */
  clear() {
    const { selection } = this.desk, changed = [...selection];
    if (!changed.length) return false;
    selection.clear();
    this.#selected(changed);
    return true;
  }

  #selected(changed) {
    this.desk.grid.repaint(changed);
    this.desk.header.show();
  }
}
