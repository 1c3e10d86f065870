// The line below the sheet: the focused candidate in words, why it stands where it does, and the buttons.
import { drawsOf, stateOf } from "./words.js";

const HALT = 150; // ms on one candidate before its reasons are asked for

export class Footer {
  constructor(desk) {
    this.desk = desk;
    this.number = document.querySelector("#about .number");
    this.name = document.querySelector("#about .name");
    this.words = document.querySelector("#about .words");
    this.why = document.getElementById("why");
    this.buttons = [...document.querySelectorAll("footer .tools button")];
    const acts = {
      keep: () => desk.deciding.mark("kept"),
      reject: () => desk.deciding.mark("rejected"),
      clear: () => desk.deciding.mark(null),
      loupe: () => desk.looking.loupe(),
      compare: () => desk.looking.compare(),
      more: (button) => desk.menus.more(button),
    };
    for (const button of this.buttons) button.addEventListener("click", () => acts[button.id](button));
  }

  show() {
    const { desk } = this, number = desk.focus, frame = desk.frames.get(number);
    this.number.textContent = number ?? "";
    this.name.textContent = frame?.title ? "\u201c" + frame.title + "\u201d" : "";
    this.name.title = frame?.title ?? "";
    this.words.textContent = frame ? this.#about(frame) : this.#waiting(number);
    this.words.title = frame ? drawsOf(frame).join("\n") : "";
    const none = number === null;
    for (const button of this.buttons) if (button.id !== "more") button.disabled = none;
    this.#reasons(frame);
  }

  #about(frame) {
    const { frames } = this.desk;
    return ["seed " + frames.seed, ...stateOf(frame, frames), ...drawsOf(frame)].join("  \u00b7  ");
  }

  #waiting(number) {
    const parent = this.desk.frames.queued.get(number);
    return parent === undefined ? "" : "variation of " + parent + ", still to be drawn";
  }

  /** In the order of taste: the kept pieces that it is closest to. */
  #reasons(frame) {
    const { desk } = this;
    clearTimeout(this.later);
    this.why.replaceChildren();
    if (desk.places.sort !== "taste" || !desk.link.can.reasons || !frame) return;
    this.later = setTimeout(async () => {
      const answer = await desk.link.reasons(frame.number).catch(() => null);
      if (!answer || desk.focus !== frame.number || desk.places.sort !== "taste") return;
      const label = document.createElement("span");
      label.textContent = answer.closest.length ? "closest kept" : "";
      this.why.replaceChildren(label, ...answer.closest.slice(0, 4).map(([number, likeness]) => {
        const image = new Image();
        image.src = desk.link.thumb(number);
        image.alt = number + ", " + Math.round(likeness * 100) + " %";
        image.title = image.alt;
        return image;
      }));
    }, HALT);
  }
}
