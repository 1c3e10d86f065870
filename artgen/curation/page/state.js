// The candidates and what is decided about them: what the server says, and over it what this page
// decided and the server has not said yet. No DOM.

const BLANK = { mark: null, stars: 0, round: 1, title: "", alt: "", variationOf: null };
const FIELDS = ["mark", "stars", "round", "title", "alt"];

/** The part of an event's id that counts decisions. */
export function decisionsIn(cursor) {
  return Number(String(cursor ?? 0).split(".")[0]);
}

export class Frames {
  #pending = []; // {action, rows}, oldest first
  #said = new Map(); // "14 mark" -> what the server says, where something pending lies over it
  #settled = new Map(); // "14 mark" -> the decision that this page's own last answer was about
  #counts = null;

  constructor(run) {
    this.name = run.name;
    this.title = run.title;
    this.seed = run.seed;
    this.all = new Map();
    this.queued = new Map();
    this.expect(run.queued);
    this.add(run.candidates);
  }

  get(number) {
    return this.all.get(number);
  }

  /** Take in candidates; returns the numbers that were not known. */
  add(candidates) {
    const fresh = [];
    for (const candidate of candidates) {
      this.queued.delete(candidate.number);
      if (this.all.has(candidate.number)) continue;
      this.all.set(candidate.number, { ...BLANK, ...candidate });
      fresh.push(candidate.number);
    }
    this.#counts = null;
    return fresh;
  }

  /** Take in the variations asked for, [[number, parent], ...]; returns those that were not known. */
  expect(queued) {
    const fresh = queued.filter(([number]) => !this.all.has(number) && !this.queued.has(number));
    for (const [number, parent] of fresh) this.queued.set(number, parent);
    return fresh.map(([number]) => number);
  }

  /** Forget what is neither drawn nor asked for any more; returns whether there was such a thing. */
  withdraw(queued) {
    const asked = new Set(queued.map(([number]) => number));
    const gone = [...this.queued.keys()].filter((number) => !asked.has(number));
    for (const number of gone) this.queued.delete(number);
    return gone.length > 0;
  }

  /** Show an action before the server has it. Returns the rows as they were. */
  decide(action, rows) {
    const before = rows.map(([number, field]) => [number, field, this.all.get(number)?.[field]]);
    this.#pending.push({ action, rows });
    for (const [number, field, value] of rows) {
      const frame = this.all.get(number), key = number + " " + field;
      if (!frame) continue;
      if (!this.#said.has(key)) this.#said.set(key, frame[field]);
      frame[field] = value;
    }
    this.#counts = null;
    return before;
  }

  /** The server answered about an action: from now on what it says counts. Returns the numbers that changed. */
  settle(action, rows, at) {
    const done = this.#pending.find((pending) => pending.action === action);
    this.#pending = this.#pending.filter((pending) => pending !== done);
    const changed = this.lay(rows, at);
    if (at) for (const [number, field] of rows) this.#settled.set(number + " " + field, at);
    for (const [number, field] of done?.rows ?? []) this.#uncover(number, field, changed);
    return changed;
  }

  /** Lay in what others decided, unless it is older than this page's own. Returns the numbers that changed. */
  lay(rows, at) {
    const changed = new Set();
    for (const [number, field, value] of rows) {
      const frame = this.all.get(number), key = number + " " + field;
      if (!frame || (this.#settled.get(key) ?? 0) > at) continue;
      if (this.#said.has(key)) this.#said.set(key, value);
      else if (frame[field] !== value) {
        frame[field] = value;
        changed.add(number);
      }
    }
    this.#counts = null;
    return changed;
  }

  /** Lay in a whole run as it now is, after the server was away. Returns [numbers changed, numbers new]. */
  refresh(run) {
    const at = decisionsIn(run.cursor);
    const known = run.candidates.filter((candidate) => this.all.has(candidate.number));
    const rows = known.flatMap((candidate) =>
      FIELDS.map((field) => [candidate.number, field, candidate[field] ?? BLANK[field]]));
    const fresh = this.add(run.candidates);
    this.expect(run.queued);
    return [this.lay(rows, at), fresh];
  }

  /** {total, funnel, round, kept, rejected, undecided, behind} of all candidates. */
  get counts() {
    this.#counts ??= this.#count();
    return this.#counts;
  }

  get round() {
    return this.counts.round;
  }

  /** It stayed in an earlier round: not undecided, but out of play. What is kept is in play wherever. */
  leftBehind(frame) {
    return frame.round < this.round && frame.mark !== "kept";
  }

  #uncover(number, field, changed) {
    const frame = this.all.get(number), key = number + " " + field;
    if (!frame || !this.#said.has(key)) return;
    let value = this.#said.get(key), covered = false;
    for (const { rows } of this.#pending) {
      for (const row of rows) if (row[0] === number && row[1] === field) { value = row[2]; covered = true; }
    }
    if (!covered) this.#said.delete(key);
    if (frame[field] !== value) changed.add(number);
    frame[field] = value;
  }

  #count() {
    const rounds = [];
    let kept = 0;
    for (const frame of this.all.values()) {
      rounds[frame.round] = (rounds[frame.round] ?? 0) + 1;
      if (frame.mark === "kept") kept += 1;
    }
    const round = Math.max(1, rounds.length - 1), funnel = [];
    for (let from = 1; from <= round; from += 1) {
      funnel.push(rounds.slice(from).reduce((sum, count) => sum + (count ?? 0), 0));
    }
    funnel.push(kept);
    let undecided = 0, rejected = 0;
    for (const frame of this.all.values()) {
      if (frame.round !== round) continue;
      if (frame.mark === null) undecided += 1;
      else if (frame.mark === "rejected") rejected += 1;
    }
    const behind = this.all.size - funnel[round - 1];
    return { total: this.all.size, funnel, round, kept, rejected, undecided, behind };
  }
}

/** What this page did last, so that undo can be shown before the server has answered. */
export class Past {
  #done = [];
  #undone = [];

  push(before, after) {
    this.#done.push([before, after]);
    this.#undone = [];
  }

  /** Someone else decided: what the server would undo is not known here. */
  forget() {
    this.#done = [];
    this.#undone = [];
  }

  /** The rows that undoing gives, or none where that is not known. */
  undo() {
    const pair = this.#done.pop();
    if (pair) this.#undone.push(pair);
    return pair ? pair[0] : [];
  }

  redo() {
    const pair = this.#undone.pop();
    if (pair) this.#done.push(pair);
    return pair ? pair[1] : [];
  }
}
