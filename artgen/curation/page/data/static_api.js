// The interface of server_api.js for a mailed sheet: one file, no server. Its decisions are a list of actions in
// this browser that only grows; undo and redo are derived from it.
import { DECISION_DEFAULTS, nextRoundRows } from "./candidates.js";
import { RejectedError } from "./server_api.js";
import { readStored, writeStored } from "./storage.js";

const EXPORTED_FIELDS = ["mark", "stars", "title", "alt"]; // rounds belong to the run

/**
 * @param mailed `run`: the answer of GET /api/run; `thumbs`, `previews` (of the last stage): number -> data: URL;
 *   `orders`: {diverse: numbers}; `groups`: lists of numbers; `recipe`: its text. Only run and thumbs are required.
 */
export function createStaticApi(mailed) {
  const { run } = mailed, key = "artgen:decisions:" + run.name;
  const initial = new Map(run.candidates.map((candidate) => [candidate.number, candidate]));
  const readActions = () => readStored(key, []);

  /** Replay actions: stacks of {before, after} rows, and each field that was touched, also where it was cleared. */
  const replay = (actions) => {
    const undo = [], redo = [], touched = new Map();
    const valueOf = (number, field) => (touched.has(number + field)
      ? touched.get(number + field) : initial.get(number)[field] ?? DECISION_DEFAULTS[field]);
    for (const { kind, rows } of actions) {
      const after = rows.filter(([number]) => initial.has(number)); // a newer file of the run may lack some
      if (!after.length) continue;
      const before = after.map(([number, field]) => [number, field, valueOf(number, field)]);
      for (const [number, field, value] of after) touched.set(number + field, value ?? DECISION_DEFAULTS[field]);
      if (kind === "do") { undo.push({ before, after }); redo.length = 0; }
      else {
        const [from, to] = kind === "undo" ? [undo, redo] : [redo, undo];
        if (from.length) to.push(from.pop());
      }
    }
    return { undo, redo, valueOf, touched };
  };
  const append = (kind, rows, action) => {
    const actions = readActions();
    if (!actions.some((stored) => stored.action === action)) {
      actions.push({ action, kind, rows });
      if (!writeStored(key, actions)) {
        throw new RejectedError("this browser cannot store decisions: export the picks before you close the page");
      }
    }
    const { undo, redo } = replay(actions);
    return { action, rows, undo: undo.length, redo: redo.length };
  };
  const currentRun = () => {
    const actions = readActions(), { undo, redo, valueOf } = replay(actions);
    const candidates = run.candidates.map((candidate) => {
      const fields = Object.keys(DECISION_DEFAULTS).map((field) => [field, valueOf(candidate.number, field)]);
      return { ...candidate, ...Object.fromEntries(fields) };
    });
    return {
      ...run, candidates, undo: undo.length, redo: redo.length,
      queued: [], cursor: actions.length + ".0", drawing: false,
    };
  };
  const reject = async () => {
    throw new RejectedError("this needs artgen curate and does not work in a mailed sheet");
  };
  return {
    supports: {
      server: false, vary: false, reasons: false, export: true,
      order: Boolean(mailed.orders?.diverse), groups: Boolean(mailed.groups?.length),
    },
    loadRun: async () => currentRun(),
    loadOrder: async (by) => (mailed.orders?.[by] ? { by, order: mailed.orders[by], wait: false } : reject()),
    loadGroups: async () => ({ groups: mailed.groups ?? [] }),
    loadReasons: reject,
    loadProposal: reject,
    loadRecipe: async () => ({ text: mailed.recipe ?? "" }),
    decide: async (rows, view, action) => append("do", rows, action),
    undo: async (view, action) => {
      const last = replay(readActions()).undo.at(-1);
      return last ? append("undo", last.before, action) : { action: null };
    },
    redo: async (view, action) => {
      const last = replay(readActions()).redo.at(-1);
      return last ? append("redo", last.after, action) : { action: null };
    },
    round: async (view, action) => append("do", nextRoundRows(currentRun().candidates), action),
    vary: reject,
    subscribe: (cursor, handlers) => {
      // Another tab with the same file decided: every field as it now is.
      window.addEventListener("storage", (event) => {
        if (event.key !== key) return;
        const { candidates, undo, redo, cursor: newCursor } = currentRun();
        const rows = candidates.flatMap((candidate) =>
          Object.keys(DECISION_DEFAULTS).map((field) => [candidate.number, field, candidate[field]]));
        handlers.decisions({ rows, undo, redo }, newCursor);
      });
    },
    thumbnailUrl: (number) => mailed.thumbs[number] ?? "",
    imageUrl: () => "", // the preview is the largest image in the file
    stageUrl: (number, index) => {
      const isLast = index === initial.get(number).stages.length - 1;
      return (isLast && mailed.previews?.[number]) || "";
    },
    /** The file for `artgen pick --from`: only what was touched here, for the run may have changed meanwhile. */
    exportPicks: () => {
      const { touched } = replay(readActions()), decisions = {}, picks = [];
      for (const number of initial.keys()) {
        const fields = EXPORTED_FIELDS.filter((field) => touched.has(number + field));
        if (!fields.length) continue;
        decisions[number] = Object.fromEntries(fields.map((field) => [field, touched.get(number + field)]));
        if (decisions[number].mark === "kept") picks.push(number);
      }
      return { format: 2, run: run.name, picks, decisions };
    },
  };
}
