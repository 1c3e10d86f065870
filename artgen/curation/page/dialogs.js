// Dialogs: help, title and alt text, all about a candidate, the next round, a final set.
import { About } from "./about.js";
import { plural, thousands } from "./words.js";

export class Dialogs {
  constructor(desk) {
    this.desk = desk;
    this.about = new About(desk, document.getElementById("info"));
    for (const dialog of document.querySelectorAll("dialog.paper")) {
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    }
    this.#answer("title", () => this.#described());
    this.#answer("round", () => desk.deciding.nextRound());
    this.#answer("proposal", (form) => desk.arranging.propose(Number(form.elements.count.value)));
  }

  get open() {
    return document.querySelector("dialog[open]");
  }

  /** Open one over what keys act on: there the browser puts the focus back, at once as it closes. */
  show(dialog) {
    this.desk.back();
    dialog.showModal();
  }

  help() {
    this.show(document.getElementById("help"));
  }

  info() {
    this.about.open(this.desk.looking.focused());
  }

  describe() {
    const frame = this.desk.frames.get(this.desk.looking.focused());
    if (!frame) return;
    const dialog = document.getElementById("title"), { elements } = dialog.querySelector("form");
    this.described = frame.number;
    dialog.querySelector("h2").textContent = "Title and alt text of " + frame.number;
    elements.title.value = frame.title;
    elements.alt.value = frame.alt;
    this.show(dialog);
    elements.title.select();
  }

  round() {
    const { counts } = this.desk.frames;
    if (!counts.kept) return this.desk.say("Nothing is kept yet: P keeps the focused candidate.");
    const dialog = document.getElementById("round"), next = counts.round + 1;
    dialog.querySelector("h2").textContent = "Begin round " + next + "?";
    dialog.querySelector("p").textContent =
      thousands(counts.kept) + " kept " + (counts.kept === 1 ? "goes" : "go") + " on, undecided again. "
      + thousands(counts.undecided) + " undecided and " + thousands(counts.rejected) + " rejected stay behind, out of play. "
      + "Ctrl+Z goes back.";
    this.show(dialog);
    dialog.querySelector("button:not([type])").focus(); // Enter goes on
  }

  proposal() {
    const { counts } = this.desk.frames;
    if (!counts.kept) return this.desk.say("Nothing is kept in this round yet: P keeps the focused candidate.");
    document.querySelector("#proposal p").textContent =
      plural(counts.kept, "candidate") + " kept. The proposal is spread over them, and only selected: you decide.";
    this.show(document.getElementById("proposal"));
  }

  #described() {
    const { elements } = document.querySelector("#title form");
    this.desk.deciding.describe(this.described, elements.title.value.trim(), elements.alt.value.trim());
  }

  /** What happens when a dialog's form is sent; "Stay" and Escape only close it. */
  #answer(id, act) {
    const dialog = document.getElementById(id), form = dialog.querySelector("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close();
      act(form);
    });
    form.querySelector("[type=button]").addEventListener("click", () => dialog.close());
  }
}
