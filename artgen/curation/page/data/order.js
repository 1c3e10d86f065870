// Which candidates the sheet shows, and in which order. A candidate keeps its place until the artist chooses
// another filter or sort: decided ones stay, new ones are added at the end. No DOM.

const NO_CANDIDATES = "No candidates yet. They appear here as soon as they are drawn.";

/** `narrow`: the label where there is no room for the whole one. */
export const FILTERS = {
  round: { label: "This round", narrow: "Round", empty: NO_CANDIDATES },
  undecided: { label: "Undecided", empty: "Nothing is undecided in this round. Shift+R starts the next one." },
  kept: { label: "Kept", empty: "Nothing is kept yet. P keeps the focused candidate." },
  rejected: { label: "Rejected", empty: "Nothing is rejected in this round. X rejects the focused candidate." },
  stars1: { label: "1 star or more", narrow: "1 star +", empty: "Nothing has a star yet. 1 to 5 give stars." },
  stars2: { label: "2 stars or more", narrow: "2 stars +", empty: "Nothing has two stars. 1 to 5 give stars." },
  stars3: { label: "3 stars or more", narrow: "3 stars +", empty: "Nothing has three stars. 1 to 5 give stars." },
  stars4: { label: "4 stars or more", narrow: "4 stars +", empty: "Nothing has four stars. 1 to 5 give stars." },
  stars5: { label: "5 stars", empty: "Nothing has five stars. 1 to 5 give stars." },
  variations: { label: "Variations", empty: "There are no variations yet. V queues four of the focused candidate." },
  outOfPlay: { label: "Out of play", narrow: "Out", empty: "Nothing is out of play: this is the first round." },
  proposed: { label: "Proposed", empty: "Nothing is proposed yet. A final set can be proposed after two rounds." },
  all: { label: "All rounds", narrow: "All", empty: NO_CANDIDATES },
};

export const SORTS = {
  run: { label: "Run order", narrow: "Order" },
  seed: { label: "Seed" },
  diverse: { label: "Diverse first", narrow: "Diverse" },
  taste: { label: "Taste" },
  like: { label: "More like", narrow: "Like" },
};

export class Order {
  filter = "round"; // a key of FILTERS
  sort = "run"; // a key of SORTS
  numbers = []; // in the order shown
  lastSeen = -1; // the last index that was on the screen
  proposed = new Set();
  foldedCounts = new Map(); // the number shown -> how many near-duplicates are folded under it
  #serverOrder = [];
  #groups = null; // near-duplicates, while they are folded
  #indexes = new Map();

  constructor(candidates) {
    this.candidates = candidates;
  }

  get isFolding() {
    return this.#groups !== null;
  }

  /** Fold groups of near-duplicates, lists of numbers, at the next rebuild; null unfolds them. */
  setGroups(groups) {
    this.#groups = groups;
  }

  /** Use the server's order at the next rebuild. */
  setServerOrder(numbers) {
    this.#serverOrder = numbers;
  }

  indexOf(number) {
    return this.#indexes.get(number) ?? -1;
  }

  rebuild() {
    const { byNumber } = this.candidates;
    this.numbers = this.#sorted().filter((number) => (byNumber.has(number)
      ? this.#matches(byNumber.get(number)) : this.filter === "round" || this.filter === "variations"));
    this.foldedCounts = new Map();
    if (this.#groups) this.#fold();
    this.lastSeen = -1;
    this.#updateIndexes();
  }

  /** Add new candidates at the end; returns how many the filter shows. */
  append(numbers) {
    const added = numbers.filter((number) =>
      !this.#indexes.has(number) && this.#matches(this.candidates.get(number)));
    for (const number of added) this.#indexes.set(number, this.numbers.push(number) - 1);
    return added.length;
  }

  /** Use a newer order of the server for what has not been on the screen yet; the rest keeps its place. */
  reorderUnseen(serverOrder) {
    this.#serverOrder = serverOrder;
    const ranks = new Map(serverOrder.map((number, index) => [number, index]));
    const unseen = this.numbers.splice(this.lastSeen + 1);
    unseen.sort((a, b) => (ranks.get(a) ?? Infinity) - (ranks.get(b) ?? Infinity) || a - b);
    this.numbers.push(...unseen);
    this.#updateIndexes();
  }

  /** The index of the next undecided candidate, searching on from the start; -1 where all are decided. */
  nextUndecided(index) {
    const { numbers, candidates } = this;
    for (let step = 1; step <= numbers.length; step += 1) {
      const next = (index + step) % numbers.length, candidate = candidates.get(numbers[next]);
      if (!candidate || candidate.mark !== null) continue;
      if (candidate.round === candidates.round || this.filter === "outOfPlay") return next;
    }
    return -1;
  }

  #matches(candidate) {
    const { round } = this.candidates;
    if (this.filter === "all") return true;
    if (this.filter === "round") return candidate.round === round;
    if (this.filter === "undecided") return this.#isUndecided(candidate);
    if (this.filter === "kept") return candidate.mark === "kept";
    if (this.filter === "rejected") return candidate.round === round && candidate.mark === "rejected";
    if (this.filter === "variations") return candidate.variationOf !== null;
    if (this.filter === "outOfPlay") return candidate.round < round;
    if (this.filter === "proposed") return this.proposed.has(candidate.number);
    return candidate.stars >= Number(this.filter.slice(-1));
  }

  #isUndecided(candidate) {
    return candidate.mark === null && candidate.round === this.candidates.round;
  }

  #updateIndexes() {
    this.#indexes = new Map(this.numbers.map((number, index) => [number, index]));
  }

  #sorted() {
    const numbers = [...this.candidates.byNumber.keys()].sort((a, b) => a - b);
    if (this.sort === "run") return numbers;
    if (this.sort === "seed") return this.#withVariations(numbers);
    const ranked = new Set(this.#serverOrder.filter((number) => this.candidates.get(number)));
    const sorted = [...ranked, ...numbers.filter((number) => !ranked.has(number))];
    return this.sort === "taste" ? this.#undecidedFirst(sorted) : sorted;
  }

  /** The server's order may not know the last decision yet. */
  #undecidedFirst(numbers) {
    const isUndecided = (number) => this.#isUndecided(this.candidates.get(number));
    return [...numbers.filter(isUndecided), ...numbers.filter((number) => !isUndecided(number))];
  }

  /** Each candidate followed by its variations, queued ones included. */
  #withVariations(numbers) {
    const { byNumber, queued } = this.candidates, children = new Map();
    for (const number of [...numbers, ...[...queued.keys()].sort((a, b) => a - b)]) {
      const variationOf = byNumber.get(number)?.variationOf ?? queued.get(number) ?? null;
      const parent = byNumber.has(variationOf) ? variationOf : null;
      if (children.has(parent)) children.get(parent).push(number);
      else children.set(parent, [number]);
    }
    const walk = (number) => [number, ...(children.get(number) ?? []).flatMap(walk)];
    return (children.get(null) ?? []).flatMap(walk);
  }

  /** Leave of each group only the first that is shown. */
  #fold() {
    const groupOf = new Map(), firstOf = new Map();
    this.#groups.forEach((numbers, group) => { for (const number of numbers) groupOf.set(number, group); });
    this.numbers = this.numbers.filter((number) => {
      const group = groupOf.get(number);
      if (group === undefined) return true;
      if (!firstOf.has(group)) { firstOf.set(group, number); return true; }
      const shown = firstOf.get(group);
      this.foldedCounts.set(shown, (this.foldedCounts.get(shown) ?? 0) + 1);
      return false;
    });
  }
}
