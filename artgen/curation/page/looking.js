// Loupe, compare and survey: what is in them, and what keys mean while one is open.
import { openViewer } from "./viewer.js";

const MOST = 9;

export class Looking {
  #viewer = null;

  constructor(desk) {
    this.desk = desk;
  }

  get open() {
    return this.#viewer !== null;
  }

  /** Several pictures are on view: a decision does not go on to the next. */
  get several() {
    return this.open && this.#viewer.mode !== "loupe";
  }

  /** What the artist sees, for the record of decisions. */
  view() {
    const { sort } = this.desk.places;
    if (!this.open) return "sheet " + sort;
    return this.several ? this.#viewer.mode : "loupe " + sort;
  }

  focused() {
    return this.open ? this.#viewer.focused() : this.desk.focus;
  }

  numbers() {
    return this.open ? this.#viewer.numbers() : [];
  }

  /** What a key acts on: a selection only where it can be seen. */
  targets() {
    return this.open ? [this.#viewer.focused()] : this.desk.moving.targets();
  }

  loupe() {
    if (this.open && !this.several) return this.close();
    this.#show("loupe", [this.focused()]);
  }

  compare() {
    if (this.open && this.#viewer.mode === "compare") return this.close();
    const { selection, moving, frames, places } = this.desk;
    const chosen = !this.open && selection.size === 2 ? moving.targets() : [this.focused()];
    const drawn = (step) => {
      let at = places.at(chosen[0]) + step;
      while (places.list[at] !== undefined && !frames.get(places.list[at])) at += step;
      return places.list[at];
    };
    if (chosen.length < 2) chosen.push(drawn(1) ?? drawn(-1));
    if (chosen[1] === undefined) return this.desk.say("There is only one candidate to look at.");
    this.#show("compare", chosen);
  }

  survey() {
    if (this.open && this.#viewer.mode === "survey") return this.close();
    const { selection, moving, frames, places, focus } = this.desk;
    const all = selection.size > 1 ? moving.targets() : places.list.slice(Math.max(0, places.at(focus)));
    this.#show("survey", all.filter((number) => frames.get(number)).slice(0, MOST));
    if (selection.size > MOST) this.desk.say("The first " + MOST + " of the selection.");
  }

  zoom() {
    if (!this.open) this.loupe();
    this.#viewer?.toggleZoom();
  }

  /** To the next or previous picture, or frame of several. */
  by(delta) {
    this.#viewer.focus(delta);
  }

  /** Focus a candidate, and show it if one is being looked at. */
  goTo(number) {
    const { desk } = this;
    desk.moving.go(number, desk.selection.has(number));
    if (!this.open || !desk.frames.get(number)) return;
    if (!this.several) this.#viewer.show([desk.frames.get(number)], number, "loupe");
    else if (this.numbers().includes(number)) this.#viewer.show(this.#frames(this.numbers()), number, this.#viewer.mode);
  }

  /** Marks or the focus have changed. */
  refresh() {
    if (!this.open) return;
    if (!this.several && this.#viewer.focused() !== this.desk.focus) this.goTo(this.desk.focus);
    this.#viewer.refresh();
  }

  close() {
    this.#viewer?.close();
  }

  #frames(numbers) {
    return numbers.map((number) => this.desk.frames.get(number)).filter(Boolean);
  }

  #show(mode, numbers) {
    const { desk } = this, frames = this.#frames(numbers);
    if (!frames.length) return;
    const focus = numbers.includes(desk.focus) ? desk.focus : frames[0].number;
    desk.moving.go(focus, true);
    if (this.open) return this.#viewer.show(frames, focus, mode);
    desk.unsay();
    const beside = (delta) => {
      const next = desk.moving.beside(delta);
      return next === null ? null : desk.frames.get(next) ?? null;
    };
    this.#viewer = openViewer({
      link: desk.link,
      mode,
      frames,
      focus,
      peek: beside,
      onMove: (delta) => {
        const next = beside(delta);
        if (next) desk.moving.go(next.number, true);
        return next;
      },
      onFocus: (number) => desk.moving.go(number, true),
      onClose: () => {
        this.#viewer = null;
        desk.unsay();
        desk.grid.reveal(Math.max(0, desk.moving.place));
        desk.header.show();
        desk.grid.take();
      },
      state: (number) => desk.frames.get(number),
    });
    desk.header.show();
  }
}
