// Opens and closes the viewer as loupe, compare or survey, and says which candidates keys act on meanwhile.
import { Viewer } from "./viewer.js";

const MAX_SURVEYED = 9;

export class ViewerModes {
  #viewer = null;

  constructor(sheet) {
    this.sheet = sheet;
  }

  get isOpen() {
    return this.#viewer !== null;
  }

  /** Several candidates are on view: a decision does not move on to the next one. */
  get isSideBySide() {
    return this.isOpen && this.#viewer.mode !== "loupe";
  }

  /** What the artist sees, as it is recorded with each decision. */
  viewName() {
    const { sort } = this.sheet.order;
    if (!this.isOpen) return "sheet " + sort;
    return this.isSideBySide ? this.#viewer.mode : "loupe " + sort;
  }

  focused() {
    return this.isOpen ? this.#viewer.focused() : this.sheet.focused;
  }

  numbers() {
    return this.isOpen ? this.#viewer.numbers() : [];
  }

  /** What keys act on: the selection only where it can be seen. */
  targets() {
    return this.isOpen ? [this.#viewer.focused()] : this.sheet.focus.targets();
  }

  toggleLoupe() {
    if (this.isOpen && !this.isSideBySide) return this.close();
    this.#show("loupe", [this.focused()]);
  }

  toggleCompare() {
    if (this.isOpen && this.#viewer.mode === "compare") return this.close();
    const { selection, focus } = this.sheet;
    const compared = !this.isOpen && selection.size === 2 ? focus.targets() : [this.focused()];
    if (compared.length < 2) compared.push(this.#nextDrawn(compared[0], 1) ?? this.#nextDrawn(compared[0], -1));
    if (compared[1] === undefined) return this.sheet.showToast("There is only one candidate to compare.");
    this.#show("compare", compared);
  }

  toggleSurvey() {
    if (this.isOpen && this.#viewer.mode === "survey") return this.close();
    const { selection, focus, candidates, order, focused } = this.sheet;
    const numbers = selection.size > 1
      ? focus.targets() : order.numbers.slice(Math.max(0, order.indexOf(focused)));
    this.#show("survey", numbers.filter((number) => candidates.get(number)).slice(0, MAX_SURVEYED));
    if (selection.size > MAX_SURVEYED) {
      this.sheet.showToast("Only the first " + MAX_SURVEYED + " of the selection are shown.");
    }
  }

  toggleZoom() {
    if (!this.isOpen) this.toggleLoupe();
    this.#viewer?.toggleZoom();
  }

  /** Move to the next candidate in the loupe, or to the next pane. */
  moveBy(delta) {
    this.#viewer.moveBy(delta);
  }

  /** Focus a candidate, and show it if the viewer is open. */
  goTo(number) {
    const { sheet } = this;
    sheet.focus.moveTo(number, sheet.selection.has(number));
    if (!this.isOpen || !sheet.candidates.get(number)) return;
    const { mode } = this.#viewer;
    if (!this.isSideBySide) this.#viewer.show([sheet.candidates.get(number)], number, "loupe");
    else if (this.numbers().includes(number)) this.#viewer.show(this.#candidates(this.numbers()), number, mode);
  }

  /** Call when decisions or the focus have changed. */
  refresh() {
    if (!this.isOpen) return;
    if (!this.isSideBySide && this.#viewer.focused() !== this.sheet.focused) this.goTo(this.sheet.focused);
    this.#viewer.refresh();
  }

  close() {
    this.#viewer?.close();
  }

  /** The nearest candidate in a direction that is drawn already. */
  #nextDrawn(number, step) {
    const { order, candidates } = this.sheet;
    let index = order.indexOf(number) + step;
    while (order.numbers[index] !== undefined && !candidates.get(order.numbers[index])) index += step;
    return order.numbers[index];
  }

  #candidates(numbers) {
    return numbers.map((number) => this.sheet.candidates.get(number)).filter(Boolean);
  }

  #show(mode, numbers) {
    const { sheet } = this, candidates = this.#candidates(numbers);
    if (!candidates.length) return;
    const focused = numbers.includes(sheet.focused) ? sheet.focused : candidates[0].number;
    sheet.focus.moveTo(focused, true);
    if (this.isOpen) return this.#viewer.show(candidates, focused, mode);
    sheet.hideToast();
    this.#viewer = this.#open(mode, candidates, focused);
    sheet.header.update();
  }

  #open(mode, candidates, focused) {
    const { sheet } = this;
    const adjacent = (delta) => sheet.candidates.get(sheet.focus.adjacent(delta)) ?? null;
    return new Viewer({
      api: sheet.api,
      mode,
      candidates,
      focused,
      adjacent,
      current: (number) => sheet.candidates.get(number),
      onMove: (delta) => {
        const next = adjacent(delta);
        if (next) sheet.focus.moveTo(next.number, true);
        return next;
      },
      onFocus: (number) => sheet.focus.moveTo(number, true),
      onClose: () => {
        this.#viewer = null;
        sheet.hideToast();
        sheet.grid.reveal(Math.max(0, sheet.focus.index));
        sheet.header.update();
        sheet.grid.focus();
      },
    });
  }
}
