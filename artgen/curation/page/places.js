// Which candidates the sheet shows, and in which order. A candidate keeps its place until the artist asks for
// another filter or order: one that is decided stays, one that arrives comes last. No DOM.

const NOTHING = new Set();

/** `slim`: what a phone has room for. */
export const FILTERS = {
  round: { words: "This round", slim: "Round", empty: "No candidates yet. They appear here as soon as they are drawn." },
  undecided: { words: "Undecided", empty: "Nothing is undecided in this round. Shift+R begins the next one." },
  kept: { words: "Kept", empty: "Nothing is kept yet. P keeps the focused candidate." },
  rejected: { words: "Rejected", empty: "Nothing is rejected in this round. X rejects the focused candidate." },
  stars1: { words: "1 star or more", slim: "1 star +", empty: "Nothing has a star yet. 1 to 5 give stars." },
  stars2: { words: "2 stars or more", slim: "2 stars +", empty: "Nothing has two stars. 1 to 5 give stars." },
  stars3: { words: "3 stars or more", slim: "3 stars +", empty: "Nothing has three stars. 1 to 5 give stars." },
  stars4: { words: "4 stars or more", slim: "4 stars +", empty: "Nothing has four stars. 1 to 5 give stars." },
  stars5: { words: "5 stars", empty: "Nothing has five stars. 1 to 5 give stars." },
  variations: { words: "Variations", empty: "There are no variations yet. V asks for some of the focused candidate." },
  behind: { words: "Out of play", slim: "Out", empty: "Nothing was left behind: this is the first round." },
  proposed: { words: "Proposed", empty: "Nothing is proposed yet. After two rounds a final set can be." },
  every: { words: "Every round", slim: "All", empty: "No candidates yet. They appear here as soon as they are drawn." },
};

export const SORTS = {
  run: "Run order", seed: "Seed", diverse: "Diverse first", taste: "Taste", like: "More like",
};

export const SLIM_SORTS = { run: "Order", seed: "Seed", diverse: "Diverse", taste: "Taste", like: "Like" };

export class Places {
  filter = "round";
  sort = "run";
  list = []; // numbers, in the order shown
  seen = -1; // the last place that was on the screen
  proposed = NOTHING;
  folded = new Map(); // the number shown -> how many are folded under it
  #order = []; // what the server says for the sort
  #groups = null; // near-duplicates, while they are folded
  #places = new Map();

  constructor(frames) {
    this.frames = frames;
  }

  get folding() {
    return this.#groups !== null;
  }

  /** Fold near-duplicates, lists of numbers; null unfolds. */
  fold(groups) {
    this.#groups = groups;
  }

  /** What the server says for the sort chosen; it counts with the next rebuild. */
  use(order) {
    this.#order = order;
  }

  at(number) {
    return this.#places.get(number) ?? -1;
  }

  shows(frame) {
    const round = this.frames.round;
    if (this.filter === "every") return true;
    if (this.filter === "round") return frame.round === round;
    if (this.filter === "undecided") return frame.round === round && frame.mark === null;
    if (this.filter === "kept") return frame.mark === "kept";
    if (this.filter === "rejected") return frame.round === round && frame.mark === "rejected";
    if (this.filter === "variations") return frame.variationOf !== null;
    if (this.filter === "behind") return frame.round < round;
    if (this.filter === "proposed") return this.proposed.has(frame.number);
    return frame.stars >= Number(this.filter.slice(-1));
  }

  rebuild() {
    const { all } = this.frames;
    this.list = this.#sequence().filter((number) =>
      all.has(number) ? this.shows(all.get(number)) : this.filter === "round" || this.filter === "variations");
    this.folded = new Map();
    if (this.#groups) this.#foldTogether();
    this.seen = -1;
    this.#number();
  }

  /** Put newcomers last; returns how many the filter lets in. */
  append(numbers) {
    const fresh = numbers.filter((number) =>
      !this.#places.has(number) && this.shows(this.frames.get(number)));
    for (const number of fresh) this.#places.set(number, this.list.push(number) - 1);
    return fresh.length;
  }

  /** A newer order for what has not been on the screen yet: everything else keeps its place. */
  reorder(order) {
    this.#order = order;
    const rank = new Map(order.map((number, place) => [number, place]));
    const rest = this.list.splice(this.seen + 1);
    rest.sort((a, b) => (rank.get(a) ?? Infinity) - (rank.get(b) ?? Infinity) || a - b);
    this.list.push(...rest);
    this.#number();
  }

  /** The place of the next undecided one after `place`, once around; -1 where all are decided. */
  undecidedAfter(place) {
    const { list, frames } = this, round = frames.round;
    for (let step = 1; step <= list.length; step += 1) {
      const at = (place + step) % list.length, frame = frames.get(list[at]);
      if (frame && frame.mark === null && (frame.round === round || this.filter === "behind")) return at;
    }
    return -1;
  }

  #number() {
    this.#places = new Map(this.list.map((number, place) => [number, place]));
  }

  #sequence() {
    const numbers = [...this.frames.all.keys()].sort((a, b) => a - b);
    if (this.sort === "run") return numbers;
    if (this.sort === "seed") return this.#families(numbers);
    const ranked = new Set(this.#order.filter((number) => this.frames.all.has(number)));
    const sequence = [...ranked, ...numbers.filter((number) => !ranked.has(number))];
    return this.sort === "taste" ? this.#openFirst(sequence) : sequence;
  }

  /** The undecided before the decided; the server may not have the last decision yet. */
  #openFirst(numbers) {
    const open = (number) => this.#undecided(this.frames.get(number));
    return [...numbers.filter(open), ...numbers.filter((number) => !open(number))];
  }

  #undecided(frame) {
    return frame.mark === null && frame.round === this.frames.round;
  }

  /** Each candidate followed by its variations, also by those that are still to be drawn. */
  #families(numbers) {
    const { all, queued } = this.frames, children = new Map();
    for (const number of [...numbers, ...[...queued.keys()].sort((a, b) => a - b)]) {
      const parent = all.get(number)?.variationOf ?? queued.get(number) ?? null;
      const family = all.has(parent) ? parent : null;
      if (children.has(family)) children.get(family).push(number);
      else children.set(family, [number]);
    }
    const walk = (number) => [number, ...(children.get(number) ?? []).flatMap(walk)];
    return (children.get(null) ?? []).flatMap(walk);
  }

  #foldTogether() {
    const group = new Map(), first = new Map();
    this.#groups.forEach((numbers, at) => { for (const number of numbers) group.set(number, at); });
    this.list = this.list.filter((number) => {
      const at = group.get(number);
      if (at === undefined) return true;
      if (!first.has(at)) { first.set(at, number); return true; }
      const shown = first.get(at);
      this.folded.set(shown, (this.folded.get(shown) ?? 0) + 1);
      return false;
    });
  }
}
