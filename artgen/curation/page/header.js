// The line above the sheet: the funnel, filter and sort, undo, what is selected, what is saved.
import { UNREACHED } from "./link.js";
import { plural, thousands } from "./words.js";

const PROPOSES_FROM = 3; // the round
const NARROW = matchMedia("(max-width: 639px)"); // as in sheet.css

export class Header {
  constructor(desk) {
    this.desk = desk;
    this.parts = Object.fromEntries(
      ["funnel", "said-funnel", "rate", "filter", "sort", "undo", "redo", "selected", "saved", "drawing", "propose", "export"]
        .map((id) => [id, document.getElementById(id)]));
    const { parts } = this;
    const press = (id, act) => parts[id].addEventListener("click", act);
    press("filter", () => desk.menus.filter(parts.filter));
    press("sort", () => desk.menus.sort(parts.sort));
    press("undo", () => desk.deciding.undo());
    press("redo", () => desk.deciding.redo());
    press("selected", () => desk.moving.clear());
    press("propose", () => desk.dialogs.proposal());
    press("export", () => desk.exportPicks());
    document.getElementById("help-open").addEventListener("click", () => desk.dialogs.help());
    parts.export.hidden = !desk.link.can.export;
    NARROW.addEventListener("change", () => this.show());
    setInterval(() => this.#pace(), 5000);
  }

  show() {
    const { desk, parts } = this, { counts } = desk.frames;
    const pace = desk.deciding.pace(Date.now());
    this.#write("funnel", counts.funnel.map(thousands).join(" > "));
    this.#write("rate", pace ? ", " + thousands(pace) + " a minute" : "");
    this.#write("said-funnel", this.#words(counts, pace));
    this.#write("filter", desk.arranging.filterWords(NARROW.matches));
    this.#write("sort", desk.arranging.sortWords(NARROW.matches) + (desk.places.folding && !NARROW.matches ? ", folded" : ""));
    parts.undo.disabled = !desk.deciding.undoable;
    parts.redo.disabled = !desk.deciding.redoable;
    const selected = desk.looking.open ? 0 : desk.selection.size;
    this.#write("selected", thousands(selected) + (NARROW.matches ? " sel." : " selected"));
    parts.selected.setAttribute("aria-label", thousands(selected) + " selected");
    parts.selected.classList.toggle("nothing", !selected);
    parts.propose.hidden = !(desk.link.can.server && counts.round >= PROPOSES_FROM);
    this.#saved();
    this.#drawing();
  }

  /** What is still to come, or why it does not. */
  #drawing() {
    const { problem, frames } = this.desk, { drawing } = this.parts, { size } = frames.queued;
    const words = problem ? "variations: " + problem : size ? thousands(size) + " to be drawn" : "";
    this.#write("drawing", words);
    drawing.title = problem ? words : "";
    drawing.classList.toggle("lost", Boolean(problem));
  }

  #saved() {
    const { outbox, link } = this.desk, wait = outbox.waiting;
    const lost = outbox.gone || this.desk.away;
    const waits = plural(wait, "decision") + (wait === 1 ? " waits" : " wait");
    let words = link.can.server ? "saved" : "kept in this browser";
    if (lost) words = wait ? "not saved: " + lost + ", " + waits : lost;
    else if (wait) words = "saving";
    this.#write("saved", words);
    const hint = lost === UNREACHED ? " Start `artgen curate` again for this run (--port " + location.port + ")." : "";
    this.parts.saved.title = lost ? words + "." + hint : "";
    this.parts.saved.classList.toggle("lost", Boolean(lost));
    if (lost && lost !== this.lost) {
      this.desk.say(words[0].toUpperCase() + words.slice(1) + ". What you decide waits here and is sent as soon as it can be.");
    }
    this.lost = lost;
  }

  #pace() {
    const pace = this.desk.deciding.pace(Date.now());
    this.#write("rate", pace ? ", " + thousands(pace) + " a minute" : "");
  }

  #words(counts, pace) {
    const words = [plural(counts.total, "candidate")];
    for (let round = 2; round <= counts.round; round += 1) {
      words.push(thousands(counts.funnel[round - 1]) + " reached round " + round);
    }
    words.push(thousands(counts.kept) + " kept");
    if (pace) words.push(thousands(pace) + " decisions a minute");
    return words.join(", ");
  }

  #write(id, words) {
    const part = this.parts[id];
    if (part.textContent !== words) part.textContent = words;
  }
}
