// The same interface as link.js for the sheet that was mailed: one file, no server.
// Decisions are a list in this browser that only grows; undo and redo are derived from it.

import { Refused } from "./link.js";

const EXPORTED = ["mark", "stars", "title", "alt"]; // rounds are the run's own
const EMPTY = { mark: null, stars: 0, round: 1, title: "", alt: "" };

/**
 * @param mailed `run`: what GET /api/run answers; `thumbs`, `previews` (of the last stage): number -> data: URL;
 *   `orders`: {diverse: numbers}; `groups`: lists of numbers; `recipe`: its text. All but run and thumbs optional.
 */
export function localLink(mailed) {
  const data = mailed.run;
  const lasts = new Map(data.candidates.map(({ number, stages }) => [number, stages.length - 1]));
  const key = "artgen:decisions:" + data.name;
  const start = new Map(data.candidates.map((candidate) => [candidate.number, candidate]));
  const read = () => {
    try { return JSON.parse(localStorage.getItem(key)) ?? []; } catch { return []; }
  };
  const write = (actions) => {
    try {
      localStorage.setItem(key, JSON.stringify(actions));
    } catch {
      throw new Refused("this browser keeps nothing for this page: export the picks before you close it");
    }
  };
  // The stacks of undo and redo hold pairs of the rows before and after; `now` has what was touched here, also
  // where it was set back to nothing.
  const past = (actions) => {
    const undo = [], redo = [], now = new Map();
    const value = (number, field) =>
      (now.has(number + field) ? now.get(number + field) : start.get(number)[field] ?? EMPTY[field]);
    for (const { kind, rows: all } of actions) {
      const rows = all.filter(([number]) => start.has(number)); // a newer file of the run may lack some
      if (!rows.length) continue;
      const before = rows.map(([number, field]) => [number, field, value(number, field)]);
      for (const [number, field, to] of rows) now.set(number + field, to ?? EMPTY[field]);
      if (kind === "do") { undo.push([before, rows]); redo.length = 0; }
      else {
        const [from, to] = kind === "undo" ? [undo, redo] : [redo, undo];
        if (from.length) to.push(from.pop());
      }
    }
    return { undo, redo, value, now };
  };
  const append = (kind, rows, action) => {
    const actions = read();
    if (!actions.some((known) => known.action === action)) {
      actions.push({ action, kind, rows });
      write(actions);
    }
    const { undo, redo } = past(actions);
    return { action, rows, undo: undo.length, redo: redo.length };
  };
  const back = (kind, action) => {
    const found = past(read())[kind].at(-1);
    return found ? append(kind, found[kind === "undo" ? 0 : 1], action) : { action: null };
  };
  const current = () => {
    const actions = read(), { undo, redo, value } = past(actions);
    const candidates = data.candidates.map((candidate) => {
      const frame = { ...candidate };
      for (const field of Object.keys(EMPTY)) frame[field] = value(candidate.number, field);
      return frame;
    });
    return {
      ...data, candidates, undo: undo.length, redo: redo.length,
      queued: [], cursor: actions.length + ".0", drawing: false,
    };
  };
  const without = async () => { throw new Refused("this needs artgen curate, not the mailed sheet"); };
  return {
    can: {
      server: false, vary: false, reasons: false, export: true,
      order: Boolean(mailed.orders?.diverse), groups: Boolean(mailed.groups?.length),
    },
    run: async () => current(),
    decide: async (rows, view, action) => append("do", rows, action),
    undo: async (view, action) => back("undo", action),
    redo: async (view, action) => back("redo", action),
    round: async (view, action) => {
      const kept = current().candidates.filter((candidate) => candidate.mark === "kept");
      const rows = kept.flatMap(({ number, round }) => [[number, "round", round + 1], [number, "mark", null]]);
      return append("do", rows, action);
    },
    vary: without,
    order: async (by) => (mailed.orders?.[by] ? { by, order: mailed.orders[by], wait: false } : without()),
    groups: async () => ({ groups: mailed.groups ?? [] }),
    reasons: without,
    proposal: without,
    recipe: async () => ({ text: mailed.recipe ?? "" }),
    events: (cursor, handlers) => {
      // Another tab on the same file wrote: everything as it now is.
      window.addEventListener("storage", (event) => {
        if (event.key !== key) return;
        const { candidates, undo, redo, cursor: now } = current();
        const rows = candidates.flatMap((candidate) =>
          Object.keys(EMPTY).map((field) => [candidate.number, field, candidate[field]]));
        handlers.decisions({ rows, undo, redo }, now);
      });
    },
    thumb: (number) => mailed.thumbs[number] ?? "",
    picture: () => "", // no larger one than the preview was mailed
    stage: (number, at) => (at === lasts.get(number) && mailed.previews?.[number]) || "",
    /** What `artgen pick --from` reads. */
    picks: () => {
      // What was touched here, also where it was cleared, and nothing else: the run may have gone on meanwhile.
      const { now } = past(read()), decisions = {}, picks = [];
      for (const number of start.keys()) {
        const touched = EXPORTED.filter((field) => now.has(number + field));
        if (!touched.length) continue;
        decisions[number] = Object.fromEntries(touched.map((field) => [field, now.get(number + field)]));
        if (decisions[number].mark === "kept") picks.push(number);
      }
      return { format: 2, run: data.name, picks, decisions };
    },
  };
}
