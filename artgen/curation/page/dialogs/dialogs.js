// The dialogs: help, title and alt text, information about a candidate, the next round, a final set.
import { formatCount, plural } from "../data/format.js";
import { CandidateInfo } from "./candidate_info.js";

export class Dialogs {
  constructor(sheet) {
    this.sheet = sheet;
    this.info = new CandidateInfo(sheet, document.getElementById("info"));
    for (const dialog of document.querySelectorAll("dialog.panel")) {
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    }
    this.#onSubmit("title", ({ elements }) =>
      sheet.decisions.setTexts(this.editedNumber, elements.title.value.trim(), elements.alt.value.trim()));
    this.#onSubmit("round", () => sheet.decisions.startNextRound());
    this.#onSubmit("proposal", ({ elements }) => sheet.filters.propose(Number(elements.count.value)));
  }

  get openDialog() {
    return document.querySelector("dialog[open]");
  }

  /** Open a dialog with the keyboard focus on the sheet, where the browser returns it when the dialog closes. */
  show(dialog) {
    this.sheet.restoreKeyboardFocus();
    dialog.showModal();
  }

  openHelp() {
    this.show(document.getElementById("help"));
  }

  openInfo() {
    this.info.open(this.sheet.viewer.focused());
  }

  openTexts() {
    const candidate = this.sheet.candidates.get(this.sheet.viewer.focused());
    if (!candidate) return;
    const dialog = document.getElementById("title"), { elements } = dialog.querySelector("form");
    this.editedNumber = candidate.number;
    dialog.querySelector("h2").textContent = "Title and alt text of candidate " + candidate.number;
    elements.title.value = candidate.title;
    elements.alt.value = candidate.alt;
    this.show(dialog);
    elements.title.select();
  }

  openNextRound() {
    const { kept, undecided, rejected, round } = this.sheet.candidates.counts;
    if (!kept) return this.sheet.showToast("Nothing is kept yet: P keeps the focused candidate.");
    const dialog = document.getElementById("round");
    dialog.querySelector("h2").textContent = "Start round " + (round + 1) + "?";
    dialog.querySelector("p").textContent =
      plural(kept, "kept candidate") + (kept === 1 ? " advances, " : " advance, ") + "undecided again. "
      + formatCount(undecided) + " undecided and " + formatCount(rejected) + " rejected stay behind, out of play. "
      + "Ctrl+Z undoes this.";
    this.show(dialog);
    dialog.querySelector("button:not([type])").focus(); // Enter starts the round
  }

  openProposal() {
    const { kept } = this.sheet.candidates.counts;
    if (!kept) return this.sheet.showToast("Nothing is kept in this round yet: P keeps the focused candidate.");
    document.querySelector("#proposal p").textContent =
      plural(kept, "candidate") + " kept. The proposal is spread over them, and only selects: you decide.";
    this.show(document.getElementById("proposal"));
  }

  /** What the form of a dialog does when it is submitted; its other button and Escape only close it. */
  #onSubmit(id, act) {
    const dialog = document.getElementById(id), form = dialog.querySelector("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close();
      act(form);
    });
    form.querySelector("[type=button]").addEventListener("click", () => dialog.close());
  }
}
