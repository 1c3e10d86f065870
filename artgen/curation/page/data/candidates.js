// The candidates and the decisions about them: the server's values, and over them this page's own decisions
// until the server has confirmed them. No DOM.

/** The fields that an artist decides, and their values before that. */
export const DECISION_DEFAULTS = { mark: null, stars: 0, round: 1, title: "", alt: "" };
const DECISION_FIELDS = Object.keys(DECISION_DEFAULTS);

/** The part of an event's id that counts decisions. */
export function decisionCount(cursor) {
  return Number(String(cursor ?? 0).split(".")[0]);
}

/** The rows that start the next round: kept candidates advance and are undecided again. */
export function nextRoundRows(candidates) {
  return candidates.filter(({ mark }) => mark === "kept")
    .flatMap(({ number, round }) => [[number, "round", round + 1], [number, "mark", null]]);
}

export class Candidates {
  #pending = []; // {action, rows}, oldest first
  #serverValues = new Map(); // "14 mark" -> the server's value, where a pending one hides it
  #confirmedAt = new Map(); // "14 mark" -> the decision count of the last answer to this page
  #counts = null;

  constructor(run) {
    this.runName = run.name;
    this.seed = run.seed;
    this.byNumber = new Map();
    this.queued = new Map(); // variations to be drawn: number -> parent's number
    this.addQueued(run.queued);
    this.add(run.candidates);
  }

  get(number) {
    return this.byNumber.get(number);
  }

  /** Add candidates; returns the numbers that are new. */
  add(candidates) {
    const added = [];
    for (const candidate of candidates) {
      this.queued.delete(candidate.number);
      if (this.byNumber.has(candidate.number)) continue;
      this.byNumber.set(candidate.number, { ...DECISION_DEFAULTS, variationOf: null, ...candidate });
      added.push(candidate.number);
    }
    this.#counts = null;
    return added;
  }

  /** Add queued variations, [[number, parent], ...]; returns the numbers that are new. */
  addQueued(queued) {
    const added = queued.filter(([number]) => !this.byNumber.has(number) && !this.queued.has(number));
    for (const [number, parent] of added) this.queued.set(number, parent);
    return added.map(([number]) => number);
  }

  /** Remove the variations that the server no longer queues; returns whether there were any. */
  removeUnqueued(queued) {
    const stillQueued = new Set(queued.map(([number]) => number));
    const removed = [...this.queued.keys()].filter((number) => !stillQueued.has(number));
    for (const number of removed) this.queued.delete(number);
    return removed.length > 0;
  }

  /** Show an action before the server has it; returns the rows with their values from before. */
  applyPending(action, rows) {
    const before = rows.map(([number, field]) => [number, field, this.byNumber.get(number)?.[field]]);
    this.#pending.push({ action, rows });
    for (const [number, field, value] of rows) {
      const candidate = this.byNumber.get(number), key = number + " " + field;
      if (!candidate) continue;
      if (!this.#serverValues.has(key)) this.#serverValues.set(key, candidate[field]);
      candidate[field] = value;
    }
    this.#counts = null;
    return before;
  }

  /** The server answered an action: from now on its values count. Returns the numbers that changed. */
  confirm(action, rows, count) {
    const confirmed = this.#pending.find((pending) => pending.action === action);
    this.#pending = this.#pending.filter((pending) => pending !== confirmed);
    const changed = this.applyRemote(rows, count);
    if (count) for (const [number, field] of rows) this.#confirmedAt.set(number + " " + field, count);
    for (const [number, field] of confirmed?.rows ?? []) this.#restoreServerValue(number, field, changed);
    return changed;
  }

  /** Apply the server's rows, except those older than this page's own. Returns the numbers that changed. */
  applyRemote(rows, count) {
    const changed = new Set();
    for (const [number, field, value] of rows) {
      const candidate = this.byNumber.get(number), key = number + " " + field;
      if (!candidate || (this.#confirmedAt.get(key) ?? 0) > count) continue;
      if (this.#serverValues.has(key)) this.#serverValues.set(key, value);
      else if (candidate[field] !== value) {
        candidate[field] = value;
        changed.add(number);
      }
    }
    this.#counts = null;
    return changed;
  }

  /** Apply a whole run after the server was unreachable; returns the numbers that are new. */
  refresh(run) {
    const known = run.candidates.filter((candidate) => this.byNumber.has(candidate.number));
    const rows = known.flatMap((candidate) =>
      DECISION_FIELDS.map((field) => [candidate.number, field, candidate[field] ?? DECISION_DEFAULTS[field]]));
    const added = this.add(run.candidates);
    this.addQueued(run.queued);
    this.applyRemote(rows, decisionCount(run.cursor));
    return added;
  }

  /** {total, funnel, round, kept, rejected, undecided} of all candidates. */
  get counts() {
    this.#counts ??= this.#count();
    return this.#counts;
  }

  get round() {
    return this.counts.round;
  }

  /** It stayed in an earlier round. Kept candidates are in play wherever they are. */
  isOutOfPlay(candidate) {
    return candidate.round < this.round && candidate.mark !== "kept";
  }

  #restoreServerValue(number, field, changed) {
    const candidate = this.byNumber.get(number), key = number + " " + field;
    if (!candidate || !this.#serverValues.has(key)) return;
    let value = this.#serverValues.get(key), isPending = false;
    for (const { rows } of this.#pending) {
      for (const row of rows) if (row[0] === number && row[1] === field) { value = row[2]; isPending = true; }
    }
    if (!isPending) this.#serverValues.delete(key);
    if (candidate[field] !== value) changed.add(number);
    candidate[field] = value;
  }

  #count() {
    const perRound = [];
    let kept = 0;
    for (const candidate of this.byNumber.values()) {
      perRound[candidate.round] = (perRound[candidate.round] ?? 0) + 1;
      if (candidate.mark === "kept") kept += 1;
    }
    const round = Math.max(1, perRound.length - 1), funnel = [];
    for (let first = 1; first <= round; first += 1) {
      funnel.push(perRound.slice(first).reduce((sum, count) => sum + (count ?? 0), 0));
    }
    funnel.push(kept);
    let undecided = 0, rejected = 0;
    for (const candidate of this.byNumber.values()) {
      if (candidate.round !== round) continue;
      if (candidate.mark === null) undecided += 1;
      else if (candidate.mark === "rejected") rejected += 1;
    }
    return { total: this.byNumber.size, funnel, round, kept, rejected, undecided };
  }
}
