// The bar above the grid: counts, filter and sort, undo, the selection, and what is saved.
import { formatCount, plural, sentence } from "../data/format.js";
import { UNREACHABLE } from "../data/server_api.js";

const FIRST_PROPOSAL_ROUND = 3;
const PACE_UPDATE_MS = 5000;
const NARROW = matchMedia("(max-width: 639px)"); // as in sheet.css
const IDS = [
  "funnel", "funnel-text", "pace", "filter", "sort", "undo", "redo", "selected", "saved", "queue", "propose", "export",
];

export class Header {
  #lastProblem = "";

  constructor(sheet) {
    this.sheet = sheet;
    this.parts = Object.fromEntries(IDS.map((id) => [id, document.getElementById(id)]));
    const { parts } = this;
    const onClick = (id, act) => parts[id].addEventListener("click", act);
    onClick("filter", () => sheet.menus.openFilters(parts.filter));
    onClick("sort", () => sheet.menus.openSorts(parts.sort));
    onClick("undo", () => sheet.decisions.undo());
    onClick("redo", () => sheet.decisions.redo());
    onClick("selected", () => sheet.focus.clearSelection());
    onClick("propose", () => sheet.dialogs.openProposal());
    onClick("export", () => sheet.exportPicks());
    document.getElementById("help-button").addEventListener("click", () => sheet.dialogs.openHelp());
    parts.export.hidden = !sheet.api.supports.export;
    NARROW.addEventListener("change", () => this.update());
    setInterval(() => this.#updatePace(), PACE_UPDATE_MS);
  }

  update() {
    const { sheet, parts } = this, { counts } = sheet.candidates, isNarrow = NARROW.matches;
    const isFolding = sheet.order.isFolding && !isNarrow;
    this.#setText("funnel", counts.funnel.map(formatCount).join(" > "));
    this.#setText("funnel-text", this.#funnelText(counts, this.#updatePace()));
    this.#setText("filter", sheet.filters.filterLabel(isNarrow));
    this.#setText("sort", sheet.filters.sortLabel(isNarrow) + (isFolding ? ", folded" : ""));
    parts.undo.disabled = !sheet.decisions.undoCount;
    parts.redo.disabled = !sheet.decisions.redoCount;
    const selected = sheet.viewer.isOpen ? 0 : sheet.selection.size;
    this.#setText("selected", formatCount(selected) + (isNarrow ? " sel." : " selected"));
    parts.selected.setAttribute("aria-label", formatCount(selected) + " selected");
    parts.selected.classList.toggle("placeholder", !selected);
    parts.propose.hidden = !(sheet.api.supports.server && counts.round >= FIRST_PROPOSAL_ROUND);
    this.#updateSaved();
    this.#updateQueue();
  }

  /** How many variations are still to be drawn, or why they are not. */
  #updateQueue() {
    const { variationsProblem, candidates } = this.sheet, { queue } = this.parts, { size } = candidates.queued;
    const problem = variationsProblem && "variations: " + variationsProblem;
    this.#setText("queue", problem || (size ? formatCount(size) + " queued" : ""));
    queue.title = problem;
    queue.classList.toggle("problem", Boolean(problem));
  }

  #updateSaved() {
    const { outbox, api, offlineReason } = this.sheet, { saved } = this.parts;
    const problem = outbox.problem || offlineReason, waiting = plural(outbox.waiting, "decision") + " waiting";
    let text = api.supports.server ? "saved" : "saved in this browser";
    if (problem) text = outbox.waiting ? "not saved: " + problem + ", " + waiting : problem;
    else if (outbox.waiting) text = "saving";
    this.#setText("saved", text);
    const hint = " Start `artgen curate` again for this run (--port " + location.port + ").";
    saved.title = problem ? text + "." + (problem === UNREACHABLE ? hint : "") : "";
    saved.classList.toggle("problem", Boolean(problem));
    if (problem && problem !== this.#lastProblem) {
      this.sheet.showToast(sentence(text) + " Your decisions are kept in this browser and sent as soon as possible.");
    }
    this.#lastProblem = problem;
  }

  #updatePace() {
    const pace = this.sheet.decisions.pace();
    this.#setText("pace", pace ? ", " + formatCount(pace) + " per minute" : "");
    return pace;
  }

  #funnelText(counts, pace) {
    const parts = [plural(counts.total, "candidate")];
    for (let round = 2; round <= counts.round; round += 1) {
      parts.push(formatCount(counts.funnel[round - 1]) + " reached round " + round);
    }
    parts.push(formatCount(counts.kept) + " kept");
    if (pace) parts.push(formatCount(pace) + " decisions per minute");
    return parts.join(", ");
  }

  #setText(id, text) {
    const part = this.parts[id];
    if (part.textContent !== text) part.textContent = text;
  }
}
