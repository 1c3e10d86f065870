// All that is known of a candidate: draws, seed, recipe, stages, and its neighbours.
import { drawsOf, nameOf, plural, stateOf } from "./words.js";

const NEIGHBOURS = 8;

export class About {
  constructor(desk, dialog) {
    Object.assign(this, { desk, dialog, body: dialog.querySelector(".body") });
    dialog.addEventListener("keydown", (event) => this.#key(event));
  }

  open(number) {
    const frame = this.desk.frames.get(number);
    if (!frame) return;
    this.number = number;
    const name = document.createElement("bdi");
    name.textContent = frame.title || frame.caption;
    this.dialog.querySelector("h2").replaceChildren(name.textContent ? number + ": " : String(number), name);
    this.body.replaceChildren(this.#facts(frame), this.#stages(frame), this.#neighbours(), this.#recipe());
    this.body.scrollTop = 0;
    if (!this.dialog.open) this.desk.dialogs.show(this.dialog);
    else if (!this.dialog.contains(document.activeElement)) this.body.focus(); // what had it is gone
  }

  #facts(frame) {
    const { frames } = this.desk, list = document.createElement("dl");
    const facts = [
      ["State", stateOf(frame, frames).join(", ") + (frames.leftBehind(frame) ? "" : ", round " + frame.round)],
      ["Seed", String(frames.seed) + ", candidate " + frame.number],
      ["Size", frame.width + " \u00d7 " + frame.height + " px"],
      ["Made in", frame.seconds ? plural(Math.round(frame.seconds * 10) / 10, "second") : "unknown"],
      ["Caption", frame.caption],
      ["Alt text", frame.alt],
      ...drawsOf(frame).map((words) => [words.slice(0, words.indexOf(" ")), words.slice(words.indexOf(" ") + 1)]),
    ];
    for (const [name, value] of facts.filter(([, words]) => words)) {
      list.append(this.#text("dt", name), this.#text("dd", value));
    }
    return list;
  }

  #stages(frame) {
    const section = this.#section("Stages"), row = section.appendChild(document.createElement("div"));
    row.className = "stages";
    frame.stages.forEach(([step, use, width, height], at) => {
      const figure = document.createElement("figure"), source = this.desk.link.stage(frame.number, at);
      if (source) {
        const image = new Image();
        Object.assign(image, { src: source, alt: "After " + step, decoding: "async", loading: "lazy" });
        figure.append(image);
      }
      figure.append(this.#text("figcaption", (step === use ? step : step + " (" + use + ")") + "  " + width + " \u00d7 " + height));
      row.append(figure);
    });
    return section;
  }

  #neighbours() {
    const section = this.#section("Most like it"), number = this.number, { desk } = this;
    const row = section.appendChild(document.createElement("div"));
    row.className = "stages neighbours";
    section.hidden = true;
    if (!desk.link.can.server) return section;
    desk.link.order("like", number).then(({ order }) => {
      const others = order.filter((other) => other !== number && desk.frames.get(other)).slice(0, NEIGHBOURS);
      section.hidden = !others.length;
      row.replaceChildren(...others.map((other) => {
        const button = document.createElement("button"), image = new Image();
        Object.assign(image, { src: desk.link.thumb(other), alt: nameOf(desk.frames.get(other)) });
        button.type = "button";
        button.append(image);
        button.addEventListener("click", () => this.#goTo(other));
        return button;
      }));
    }, () => {});
    return section;
  }

  #recipe() {
    const section = document.createElement("details"), text = document.createElement("pre");
    section.append(this.#text("summary", "Recipe"), text);
    text.tabIndex = 0;
    text.setAttribute("role", "region");
    text.setAttribute("aria-label", "Recipe");
    section.addEventListener("toggle", async () => {
      if (!section.open || text.textContent) return;
      const answer = await this.desk.link.recipe().catch((error) => ({ text: error.message }));
      text.textContent = answer.text || "This sheet does not carry it.";
    });
    return section;
  }

  /** Left and right go on to the next candidate, I closes. */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const delta = { ArrowLeft: -1, h: -1, ArrowRight: 1, l: 1 }[event.key];
    if (event.key === "i") this.dialog.close();
    else if (delta) this.#goTo(this.desk.moving.beside(delta));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #goTo(number) {
    if (number === null || !this.desk.frames.get(number)) return;
    this.desk.looking.goTo(number);
    this.open(number);
  }

  #section(words) {
    const section = document.createElement("section");
    section.append(this.#text("h3", words));
    return section;
  }

  #text(tag, words) {
    const element = document.createElement(tag);
    element.textContent = words;
    element.dir = "auto";
    return element;
  }
}
