// The bar below the grid: the focused candidate in words, why taste ranks it there, and the buttons.
import { drawEntries, stateLabels } from "../data/format.js";
import { createElement } from "../dom.js";

const REASONS_DELAY_MS = 150; // on one candidate
const MAX_REASONS = 4;

export class Footer {
  constructor(sheet) {
    this.sheet = sheet;
    this.number = document.querySelector("#candidate .number");
    this.title = document.querySelector("#candidate .title");
    this.details = document.querySelector("#candidate .details");
    this.reasons = document.getElementById("reasons");
    this.buttons = [...document.querySelectorAll("footer .tools button")];
    const actions = {
      keep: () => sheet.decisions.mark("kept"),
      reject: () => sheet.decisions.mark("rejected"),
      clear: () => sheet.decisions.mark(null),
      loupe: () => sheet.viewer.toggleLoupe(),
      compare: () => sheet.viewer.toggleCompare(),
      more: (button) => sheet.menus.openMore(button),
    };
    for (const button of this.buttons) button.addEventListener("click", () => actions[button.id](button));
  }

  update() {
    const { focused, candidates } = this.sheet, candidate = candidates.get(focused);
    this.number.textContent = focused ?? "";
    this.title.textContent = candidate?.title ? "\u201c" + candidate.title + "\u201d" : "";
    this.title.title = candidate?.title ?? "";
    const draws = candidate ? drawEntries(candidate).map((entry) => entry.join(" ")) : [];
    this.details.textContent = candidate
      ? ["seed " + candidates.seed, ...stateLabels(candidate, candidates), ...draws].join("  \u00b7  ")
      : this.#queuedText(focused);
    this.details.title = draws.join("\n");
    for (const button of this.buttons) if (button.id !== "more") button.disabled = focused === null;
    this.#updateReasons(candidate);
  }

  #queuedText(number) {
    const parent = this.sheet.candidates.queued.get(number);
    return parent === undefined ? "" : "variation of " + parent + ", queued";
  }

  /** In the taste order: the kept candidates that it is most like. */
  #updateReasons(candidate) {
    const { sheet } = this;
    clearTimeout(this.reasonsTimer);
    this.reasons.replaceChildren();
    if (sheet.order.sort !== "taste" || !sheet.api.supports.reasons || !candidate) return;
    this.reasonsTimer = setTimeout(async () => {
      const answer = await sheet.api.loadReasons(candidate.number).catch(() => null);
      if (!answer || sheet.focused !== candidate.number || sheet.order.sort !== "taste") return;
      const label = createElement("span", {}, answer.closest.length ? "closest kept" : "");
      this.reasons.replaceChildren(label, ...answer.closest.slice(0, MAX_REASONS).map(([number, similarity]) => {
        const text = number + ", " + Math.round(similarity * 100) + " %";
        return createElement("img", { src: sheet.api.thumbnailUrl(number), alt: text, title: text });
      }));
    }, REASONS_DELAY_MS);
  }
}
