// The dialog with all that is known of a candidate: state, seed, draws, stages, neighbours and recipe.
import { candidateLabel, drawEntries, plural, stateLabels } from "../data/format.js";
import { createElement, hasModifier } from "../dom.js";

const MAX_NEIGHBOURS = 8;
const STEPS = { ArrowLeft: -1, h: -1, ArrowRight: 1, l: 1 };

export class CandidateInfo {
  constructor(sheet, dialog) {
    Object.assign(this, { sheet, dialog, body: dialog.querySelector(".body") });
    dialog.addEventListener("keydown", (event) => this.#onKey(event));
  }

  open(number) {
    const candidate = this.sheet.candidates.get(number);
    if (!candidate) return;
    this.number = number;
    const name = candidate.title || candidate.caption, heading = this.dialog.querySelector("h2");
    heading.replaceChildren(name ? number + ": " : String(number), createElement("bdi", {}, name));
    this.body.replaceChildren(this.#facts(candidate), this.#stages(candidate), this.#neighbours(), this.#recipe());
    this.body.scrollTop = 0;
    if (!this.dialog.open) this.sheet.dialogs.show(this.dialog);
    else if (!this.dialog.contains(document.activeElement)) this.body.focus(); // the focused element was replaced
  }

  #facts(candidate) {
    const { candidates } = this.sheet, state = stateLabels(candidate, candidates).join(", ");
    const facts = [
      ["State", state + (candidates.isOutOfPlay(candidate) ? "" : ", round " + candidate.round)],
      ["Seed", candidates.seed + ", candidate " + candidate.number],
      ["Size", candidate.width + " \u00d7 " + candidate.height + " px"],
      ["Drawn in", candidate.seconds ? plural(Math.round(candidate.seconds * 10) / 10, "second") : "unknown"],
      ["Caption", candidate.caption],
      ["Alt text", candidate.alt],
      ...drawEntries(candidate),
    ];
    return createElement("dl", {}, ...facts.filter(([, value]) => value)
      .flatMap(([name, value]) => [createText("dt", name), createText("dd", value)]));
  }

  #stages(candidate) {
    const figures = candidate.stages.map(([step, use, width, height], index) => {
      const figure = createElement("figure"), src = this.sheet.api.stageUrl(candidate.number, index);
      if (src) figure.append(createElement("img", { alt: "After " + step, decoding: "async", loading: "lazy", src }));
      const name = step === use ? step : step + " (" + use + ")";
      figure.append(createText("figcaption", name + "  " + width + " \u00d7 " + height));
      return figure;
    });
    return createSection("Stages", createElement("div", { class: "stages" }, ...figures));
  }

  #neighbours() {
    const { sheet, number } = this, row = createElement("div", { class: "stages neighbours" });
    const section = createSection("Most like this", row);
    section.hidden = true;
    if (!sheet.api.supports.server) return section;
    sheet.api.loadOrder("like", number).then(({ order }) => {
      const others = order.filter((other) => other !== number && sheet.candidates.get(other));
      const neighbours = others.slice(0, MAX_NEIGHBOURS);
      section.hidden = !neighbours.length;
      row.replaceChildren(...neighbours.map((neighbour) => {
        const alt = candidateLabel(sheet.candidates.get(neighbour));
        const image = createElement("img", { src: sheet.api.thumbnailUrl(neighbour), alt });
        const button = createElement("button", { type: "button" }, image);
        button.addEventListener("click", () => this.#goTo(neighbour));
        return button;
      }));
    }, () => {});
    return section;
  }

  #recipe() {
    const text = createElement("pre", { tabindex: "0", role: "region", "aria-label": "Recipe" });
    const details = createElement("details", {}, createText("summary", "Recipe"), text);
    details.addEventListener("toggle", async () => {
      if (!details.open || text.textContent) return;
      const answer = await this.sheet.api.loadRecipe().catch((error) => ({ text: error.message }));
      text.textContent = answer.text || "This sheet does not include the recipe.";
    });
    return details;
  }

  /** Left and right show the next candidate, I closes. */
  #onKey(event) {
    if (hasModifier(event) || event.shiftKey) return;
    if (event.key === "i") this.dialog.close();
    else if (STEPS[event.key]) this.#goTo(this.sheet.focus.adjacent(STEPS[event.key]));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #goTo(number) {
    if (!this.sheet.candidates.get(number)) return;
    this.sheet.viewer.goTo(number);
    this.open(number);
  }
}

function createText(tag, text) {
  return createElement(tag, { dir: "auto" }, text);
}

function createSection(title, ...children) {
  return createElement("section", {}, createText("h3", title), ...children);
}
