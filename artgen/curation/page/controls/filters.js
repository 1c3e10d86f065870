// Filters, sorts, folding of near-duplicates, more like this, and the proposed final set.
import { formatCount, plural } from "../data/format.js";
import { FILTERS, SORTS } from "../data/order.js";

const LOCAL_SORTS = ["run", "seed"]; // the others need the server's order
const REORDER_DELAY_MS = 250; // after the last decision
const INCOMPLETE_ORDER_DELAY_MS = 2000; // before an order that lacks some candidates is requested again

export class Filters {
  similarTo = null; // the number that "more like this" is about
  #previousSort = "run"; // before "more like this"

  constructor(sheet) {
    this.sheet = sheet;
  }

  setFilter(name, fromStart = false) {
    this.sheet.order.filter = name;
    this.sheet.focus.clearSelection();
    this.apply(fromStart);
  }

  async setSort(name) {
    if (name === "like" && this.similarTo === null) return this.toggleSimilar();
    const needsOrder = !LOCAL_SORTS.includes(name);
    if (needsOrder && !(await this.#loadOrder(name))) return;
    if (name !== "like") this.similarTo = null;
    this.sheet.order.sort = name;
    this.apply(needsOrder);
  }

  /** Show what is most like the focused candidate first; called again, return to the sort before. */
  async toggleSimilar() {
    const { sheet } = this, { focused, order } = sheet, { sort } = order;
    if (this.leaveSimilar() || !sheet.candidates.get(focused)) return;
    if (!(await this.#loadOrder("like", focused))) return;
    this.#previousSort = sort;
    this.similarTo = focused;
    order.sort = "like";
    this.apply();
    sheet.focus.moveTo(focused);
    sheet.showToast("Most like candidate " + focused + " first. S or Escape goes back.");
  }

  /** Return to the sort before "more like this"; returns whether that was shown. */
  leaveSimilar() {
    if (this.sheet.order.sort !== "like") return false;
    this.setSort(this.#previousSort);
    return true;
  }

  async toggleFolding() {
    const { sheet } = this, { order } = sheet;
    if (order.isFolding) {
      order.setGroups(null);
      this.apply();
      return sheet.showToast("Near-duplicates are unfolded.");
    }
    if (this.isLoadingGroups) return; // the key was pressed twice
    this.isLoadingGroups = true;
    const answer = await sheet.tryRequest(sheet.api.loadGroups());
    this.isLoadingGroups = false;
    if (!answer) return;
    order.setGroups(answer.groups);
    this.apply();
    const folded = [...order.foldedCounts.values()].reduce((sum, count) => sum + count, 0);
    if (folded) return sheet.showToast(plural(folded, "near-duplicate") + " folded. G unfolds them.");
    order.setGroups(null);
    sheet.showToast("There are no near-duplicates here.");
  }

  async propose(count) {
    const { sheet } = this, answer = await sheet.tryRequest(sheet.api.loadProposal(count));
    if (!answer) return;
    const { proposed } = answer;
    sheet.order.proposed = new Set(proposed);
    this.setFilter("proposed");
    sheet.focus.select(proposed);
    sheet.focus.moveToIndex(0, true);
    sheet.showToast(plural(proposed.length, "candidate") + " proposed and selected: P keeps them all.");
  }

  /** Show new candidates: at the end, wherever the artist is. */
  addCandidates(numbers) {
    const { sheet } = this, { order } = sheet;
    const appended = order.append(numbers);
    if (sheet.focused === null && order.numbers.length) sheet.focus.moveToIndex(0);
    if (numbers.some((number) => order.indexOf(number) >= 0)) sheet.grid.paint();
    sheet.grid.repaint(numbers);
    this.#updateEmptyMessage();
    sheet.header.update();
    if (!appended) sheet.footer.update();
  }

  /** Rebuild the list, and go to its start or stay near the focus. */
  apply(fromStart = false) {
    const { sheet } = this, { order } = sheet;
    const previousIndex = order.indexOf(sheet.focused);
    order.rebuild();
    sheet.focus.deselectHidden();
    if (fromStart) sheet.focused = null;
    if (order.indexOf(sheet.focused) < 0) sheet.focused = this.#nearest(fromStart ? 0 : previousIndex);
    if (fromStart) sheet.grid.scroller.scrollTop = 0;
    if (sheet.focused !== null) sheet.grid.reveal(order.indexOf(sheet.focused));
    sheet.grid.paint();
    sheet.grid.repaintAll();
    this.#updateEmptyMessage();
    sheet.header.update();
    sheet.footer.update();
    sheet.scheduleSaveView();
  }

  /** Decisions have changed: sort by the taste learned from them what has not been on the screen yet. */
  scheduleReorder() {
    if (this.sheet.order.sort === "taste") this.#reorderLater(REORDER_DELAY_MS, "taste");
  }

  filterLabel(isNarrow) {
    const { label, narrow } = FILTERS[this.sheet.order.filter];
    return (isNarrow && narrow) || label;
  }

  sortLabel(isNarrow) {
    const { sort } = this.sheet.order, { label, narrow } = SORTS[sort];
    const text = (isNarrow && narrow) || label;
    return sort === "like" ? text + " " + formatCount(this.similarTo) : text;
  }

  async #loadOrder(by, number) {
    const { sheet } = this;
    await sheet.outbox.settled(); // the server learns taste from the decisions it has
    const answer = await sheet.tryRequest(sheet.api.loadOrder(by, number));
    if (!answer) return false;
    sheet.order.setServerOrder(answer.order);
    if (answer.wait) {
      sheet.showToast("Some pictures are still being analysed: they come last.");
      this.#reorderLater(INCOMPLETE_ORDER_DELAY_MS, by, number);
    }
    return true;
  }

  #reorderLater(delay, by, number) {
    clearTimeout(this.reorderTimer);
    this.reorderTimer = setTimeout(async () => {
      const { order, api, grid } = this.sheet;
      const answer = order.sort === by ? await api.loadOrder(by, number).catch(() => null) : null;
      if (!answer || order.sort !== by) return;
      order.reorderUnseen(answer.order);
      grid.paint();
      if (answer.wait) this.#reorderLater(INCOMPLETE_ORDER_DELAY_MS, by, number);
    }, delay);
  }

  /** Where the focus goes when its candidate is hidden: the one now at its index, or the next in the run. */
  #nearest(index) {
    const { order, focused } = this.sheet, { numbers } = order;
    if (index < 0) return numbers.find((number) => number >= focused) ?? numbers.at(-1) ?? null;
    return numbers[Math.min(index, numbers.length - 1)] ?? null;
  }

  #updateEmptyMessage() {
    const { order, candidates } = this.sheet, message = document.getElementById("empty");
    message.hidden = order.numbers.length > 0;
    message.textContent = FILTERS[candidates.byNumber.size ? order.filter : "all"].empty;
  }
}
