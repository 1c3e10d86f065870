// Marks, stars, titles and rounds, with undo and redo of all of them.
import { decisionCount, nextRoundRows } from "../data/candidates.js";
import { candidatesLabel, plural } from "../data/format.js";
import { UndoHistory } from "../data/undo_history.js";

const MARK_LABELS = { kept: "kept", rejected: "rejected", null: "undecided again" };
const PACE_WINDOW_MS = 120000;
const MIN_PACE_MS = 10000; // a pace measured over less than this would be too high

export class Decisions {
  undoCount = 0;
  redoCount = 0;
  #times = []; // ms, of the decisions within the pace window
  #history = new UndoHistory();
  #shownRound = 1;

  constructor(sheet) {
    this.sheet = sheet;
  }

  /** Mark the focused candidate, or all selected ones; unless `stay`, move on to the next undecided one. */
  mark(value, stay = false) {
    const { sheet } = this, numbers = sheet.viewer.targets();
    const isSingle = !sheet.selection.size && !sheet.viewer.isSideBySide;
    this.#decide(numbers.flatMap((number) => this.#markRows(number, value)), true);
    if (isSingle && !stay) sheet.focus.moveToNextUndecided();
    else if (numbers.length > 1) sheet.showToast(candidatesLabel(numbers) + " " + MARK_LABELS[value] + ".");
    sheet.viewer.refresh();
  }

  /** In compare and survey: keep the focused candidate and reject the others. */
  keepOnly() {
    const { viewer } = this.sheet, [kept] = viewer.targets(), numbers = viewer.numbers();
    this.#decide(numbers.flatMap((number) => this.#markRows(number, number === kept ? "kept" : "rejected")), true);
    this.sheet.showToast("Candidate " + kept + " kept, " + (numbers.length - 1) + " rejected.");
    viewer.refresh();
  }

  setStars(count) {
    this.#decide(this.sheet.viewer.targets().map((number) => [number, "stars", count]));
    this.sheet.viewer.refresh();
  }

  setTexts(number, title, alt) {
    this.#decide([[number, "title", title], [number, "alt", alt]]);
  }

  startNextRound() {
    const { candidates, filters } = this.sheet, rows = nextRoundRows([...candidates.byNumber.values()]);
    const { kept } = candidates.counts;
    this.#send("round", rows);
    filters.setFilter("round", true);
    this.sheet.showToast("Round " + candidates.round + ": " + plural(kept, "candidate") + ", undecided again.");
  }

  undo() {
    if (!this.undoCount) return this.sheet.showToast("Nothing to undo.");
    this.undoCount -= 1;
    this.redoCount += 1;
    this.#send("undo", this.#history.undo());
  }

  redo() {
    if (!this.redoCount) return this.sheet.showToast("Nothing to redo.");
    this.undoCount += 1;
    this.redoCount -= 1;
    this.#send("redo", this.#history.redo());
  }

  /** Show what an earlier page of this browser could not send. */
  restore(items) {
    for (const { action, rows, kind } of items) {
      this.sheet.candidates.applyPending(action, rows);
      this.undoCount += kind === "undo" ? -1 : 1;
      this.redoCount = kind === "undo" ? this.redoCount + 1 : 0;
    }
  }

  /** The server has an action of this page on disk. */
  onConfirmed(item, answer) {
    const { sheet } = this, rows = answer.rows ?? [];
    const changed = sheet.candidates.confirm(item.action, rows, decisionCount(answer.cursor));
    if (!sheet.outbox.waiting) this.#setCounts(answer);
    if (item.kind !== "decide" && !item.rows.length && rows.length) this.#showUndone(rows, item.kind);
    this.#update(changed);
  }

  onRejected(item, error) {
    this.#history.clear();
    this.sheet.showToast("Not saved: " + error.message);
    this.#update(this.sheet.candidates.confirm(item.action, [], 0));
  }

  /** Decisions of this page, of another tab or of a command. */
  onEvent({ rows, undo, redo }, cursor) {
    const changed = this.sheet.candidates.applyRemote(rows, decisionCount(cursor));
    if (changed.size) this.#history.clear();
    if (!this.sheet.outbox.waiting) this.#setCounts({ undo, redo });
    this.#update(changed);
  }

  /** Decisions per minute, over the last minutes. */
  pace() {
    const now = Date.now();
    this.#times = this.#times.filter((time) => now - time < PACE_WINDOW_MS);
    if (this.#times.length < 2) return 0;
    return Math.round((this.#times.length - 1) / Math.max(MIN_PACE_MS, now - this.#times[0]) * 60000);
  }

  /** A candidate that is out of play comes back into this round when it is kept. */
  #markRows(number, value) {
    const { candidates } = this.sheet, candidate = candidates.get(number), { round } = candidates;
    if (!candidate) return [];
    const isReturning = value === "kept" && candidate.round < round;
    return [[number, "mark", value], ...(isReturning ? [[number, "round", round]] : [])];
  }

  #decide(rows, isPaced = false) {
    const changes = rows.filter(([number, field, value]) => {
      const candidate = this.sheet.candidates.get(number);
      return candidate && candidate[field] !== value;
    });
    if (!changes.length) return;
    if (isPaced) this.#times.push(Date.now());
    this.undoCount += 1;
    this.redoCount = 0;
    this.#send("decide", changes);
  }

  #send(kind, rows) {
    const { sheet } = this, action = crypto.randomUUID().replaceAll("-", "");
    const before = sheet.candidates.applyPending(action, rows);
    if (kind === "decide" || kind === "round") this.#history.push(before, rows);
    else if (rows.length) this.#showUndone(rows, kind);
    sheet.outbox.add({ kind, action, view: sheet.viewer.viewName(), rows });
    this.#update(new Set(rows.map(([number]) => number)));
  }

  /** Go to what was undone or redone, under another filter if need be. */
  #showUndone(rows, kind) {
    const { sheet } = this, numbers = [...new Set(rows.map(([number]) => number))];
    const isHidden = () => numbers.every((number) => sheet.order.indexOf(number) < 0);
    sheet.showToast((kind === "undo" ? "Undone: " : "Redone: ") + candidatesLabel(numbers) + ".");
    if (rows.some(([, field]) => field === "round")) sheet.filters.apply();
    if (isHidden()) sheet.filters.apply();
    if (isHidden()) sheet.filters.setFilter("all");
    const shown = numbers.find((number) => sheet.order.indexOf(number) >= 0);
    if (shown !== undefined) sheet.viewer.goTo(shown);
  }

  #setCounts({ undo, redo }) {
    if (undo !== undefined) this.undoCount = undo;
    if (redo !== undefined) this.redoCount = redo;
  }

  #update(numbers) {
    const { sheet } = this, { round } = sheet.candidates;
    if (round === this.#shownRound) sheet.grid.repaint(numbers);
    else sheet.grid.repaintAll(); // which candidates are out of play has changed
    this.#shownRound = round;
    sheet.header.update();
    if (numbers.has(sheet.focused)) sheet.footer.update();
    if (numbers.size) {
      sheet.viewer.refresh();
      sheet.filters.scheduleReorder();
    }
  }
}
