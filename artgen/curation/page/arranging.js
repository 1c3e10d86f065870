// Filters, sorts, folding near-duplicates, more like this, variations, the proposal.
import { FILTERS, SLIM_SORTS, SORTS } from "./places.js";
import { plural, thousands } from "./words.js";

const REST = 250; // ms after the last decision before the order is asked for again
const AGAIN = 2000; // ms before an order that was not yet whole is asked for again
const VARIATIONS = 4;

export class Arranging {
  likeOf = null; // the candidate that "more like this" is about
  #before = "run"; // the sort to go back to

  constructor(desk) {
    this.desk = desk;
  }

  filter(name, first = false) {
    const { desk } = this;
    desk.places.filter = name;
    desk.moving.clear();
    this.apply(first);
  }

  async sort(name) {
    const { desk } = this;
    if (name === "like" && this.likeOf === null) return this.like();
    const needs = !["run", "seed"].includes(name);
    if (needs && !(await this.#ask(name))) return;
    if (name !== "like") this.likeOf = null;
    desk.places.sort = name;
    this.apply(needs);
  }

  /** S: the most like the focused one first; again, as before. */
  async like() {
    const { desk } = this;
    if (desk.places.sort === "like") return this.unlike();
    if (!desk.frames.get(desk.focus)) return;
    const number = desk.focus, before = desk.places.sort;
    if (!(await this.#ask("like", number))) return;
    this.#before = before;
    this.likeOf = number;
    desk.places.sort = "like";
    this.apply();
    desk.moving.go(number);
    desk.say("Most like " + number + " first. S again, or Escape, goes back.");
  }

  /** Back from "more like this"; returns whether there was a way back. */
  unlike() {
    if (this.desk.places.sort !== "like") return false;
    this.sort(this.#before);
    return true;
  }

  async fold() {
    const { desk } = this, { places } = desk;
    if (places.folding) {
      places.fold(null);
      this.apply();
      return desk.say("Near-duplicates are unfolded.");
    }
    if (this.asking) return; // the key came twice
    this.asking = true;
    const answer = await desk.asked(desk.link.groups());
    this.asking = false;
    if (!answer) return;
    places.fold(answer.groups);
    this.apply();
    const hidden = [...places.folded.values()].reduce((sum, count) => sum + count, 0);
    if (hidden) return desk.say(plural(hidden, "near-duplicate") + " folded. G unfolds them.");
    places.fold(null);
    desk.say("There are no near-duplicates here.");
  }

  async vary() {
    const { desk } = this, number = desk.looking.focused();
    if (!desk.frames.get(number)) return;
    if (!desk.link.can.vary) return desk.say("Variations need artgen curate, not the mailed sheet.");
    const answer = await desk.asked(desk.link.vary(number, VARIATIONS));
    if (!answer) return;
    const fresh = desk.frames.expect(answer.queued);
    if (desk.places.sort === "seed") this.apply(); // room beside it now, so that nothing moves when they come
    desk.header.show();
    desk.say(plural(fresh.length || VARIATIONS, "variation") + " of " + number + " queued.");
  }

  async propose(count) {
    const { desk } = this, answer = await desk.asked(desk.link.proposal(count));
    if (!answer) return;
    desk.places.proposed = new Set(answer.proposed);
    this.filter("proposed");
    desk.moving.select(answer.proposed);
    desk.moving.goTo(0, true);
    desk.say(plural(answer.proposed.length, "candidate") + " proposed and selected: P keeps them all.");
  }

  /** Candidates came: they stand last, wherever the artist is. */
  arrived(numbers) {
    const { desk } = this, { places } = desk;
    const shown = places.append(numbers);
    const known = numbers.some((number) => places.at(number) >= 0);
    if (desk.focus === null && places.list.length) desk.moving.goTo(0);
    if (shown || known) desk.grid.paint();
    desk.grid.repaint(numbers);
    this.#words();
    desk.header.show();
    if (!shown) desk.footer.show();
  }

  /** Build the list anew. `first`: go to its beginning, else stay where the focus is. */
  apply(first = false) {
    const { desk } = this, { places } = desk;
    const place = places.at(desk.focus);
    places.rebuild();
    desk.moving.keepShown();
    if (first) desk.focus = null;
    if (places.at(desk.focus) < 0) desk.focus = this.#nearest(first ? 0 : place);
    if (first) desk.grid.scroller.scrollTop = 0;
    if (desk.focus !== null) desk.grid.reveal(places.at(desk.focus));
    desk.grid.paint();
    desk.grid.repaintAll();
    this.#words();
    desk.header.show();
    desk.footer.show();
    desk.remember();
  }

  /** Something was decided: what was not on the screen yet is ordered anew. */
  learn() {
    if (this.desk.places.sort !== "taste") return;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.#relearn(), REST);
  }

  async #relearn() {
    const { places, link, grid } = this.desk;
    const answer = await link.order("taste").catch(() => null);
    if (!answer || places.sort !== "taste") return;
    places.reorder(answer.order);
    grid.paint();
  }

  async #ask(by, number) {
    await this.desk.outbox.settled(); // taste is learned from what the server has
    const { desk } = this, answer = await desk.asked(desk.link.order(by, number));
    if (!answer) return false;
    desk.places.use(answer.order);
    if (answer.wait) {
      desk.say("Still looking at the pictures: what is not known yet comes last.");
      setTimeout(() => this.#rest(by, number), AGAIN);
    }
    return true;
  }

  async #rest(by, number) {
    const { places, link, grid } = this.desk;
    const answer = places.sort === by ? await link.order(by, number).catch(() => null) : null;
    if (!answer || places.sort !== by) return;
    places.reorder(answer.order);
    grid.paint();
    if (answer.wait) setTimeout(() => this.#rest(by, number), AGAIN);
  }

  /** Where a focus that is not shown any more goes: what took its place, or what follows it in the run. */
  #nearest(place) {
    const { list } = this.desk.places;
    if (place < 0) return list.find((number) => number >= this.desk.focus) ?? list.at(-1) ?? null;
    return list[Math.min(place, list.length - 1)] ?? null;
  }

  #words() {
    const { places, frames } = this.desk, empty = document.getElementById("empty");
    empty.hidden = places.list.length > 0;
    empty.textContent = frames.all.size ? FILTERS[places.filter].empty : FILTERS.every.empty;
  }

  filterWords(slim) {
    const filter = FILTERS[this.desk.places.filter];
    return (slim && filter.slim) || filter.words;
  }

  sortWords(slim) {
    const { sort } = this.desk.places, words = (slim ? SLIM_SORTS : SORTS)[sort];
    return sort === "like" ? words + " " + thousands(this.likeOf) : words;
  }
}
