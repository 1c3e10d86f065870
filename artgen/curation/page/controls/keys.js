// Which key does what; the actions themselves are in other modules.
import { requestVariations } from "./variations.js";

const TEXT_FIELD = "input, textarea, select, [contenteditable]";
const DELTAS = {
  ArrowLeft: -1, h: -1, ArrowUp: -1, k: -1, PageUp: -1, ArrowRight: 1, l: 1, ArrowDown: 1, j: 1, PageDown: 1,
};
const MOVE_KEYS = [...Object.keys(DELTAS), "Home", "End"];

/** The letter on the key in lower case; on keyboards of other scripts, by its position. */
function letterOf(event) {
  if (event.key.length > 1) return event.key;
  const isOtherScript = event.key > "\u007f" && /^Key[A-Z]$/.test(event.code);
  return (isOtherScript ? event.code.slice(3) : event.key).toLowerCase();
}

/** `extend`: the selection grows to the new index; `keepSelection`: it stays as it is. */
function move(sheet, key, extend, keepSelection) {
  const { focus, viewer, order, grid } = sheet, delta = DELTAS[key], last = order.numbers.length - 1;
  if (viewer.isOpen) {
    if (delta) viewer.moveBy(delta);
    else if (!viewer.isSideBySide) viewer.goTo(order.numbers.at(key === "Home" ? 0 : -1));
  } else if (extend) {
    const rows = { ArrowUp: -1, k: -1, ArrowDown: 1, j: 1, PageUp: -grid.rows, PageDown: grid.rows }[key];
    if (key === "Home") focus.extendSelection(0);
    else if (key === "End") focus.extendSelection(last);
    else focus.extendSelection(focus.index + (rows ? rows * grid.columns : delta));
  } else if (key === "Home") focus.moveToIndex(0, keepSelection);
  else if (key === "End") focus.moveToIndex(last, keepSelection);
  else if (key === "PageUp" || key === "PageDown") focus.moveByPages(delta, keepSelection);
  else if (["ArrowUp", "ArrowDown", "j", "k"].includes(key)) focus.moveByRows(delta, keepSelection);
  else focus.moveBy(delta, keepSelection);
}

/** Handle a key with Ctrl or Cmd; returns false for the browser's own. */
function runCommand(sheet, key, event) {
  const { decisions, focus, viewer } = sheet;
  if (key === "z" && event.shiftKey) decisions.redo();
  else if (key === "z") decisions.undo();
  else if (key === "y" && !event.shiftKey) decisions.redo();
  else if (key === "a" && !event.shiftKey && !viewer.isOpen) focus.selectAll();
  else if (key === " " && !viewer.isOpen && sheet.focused !== null) focus.toggleSelected(sheet.focused);
  else if (key.startsWith("Arrow") && !viewer.isOpen && !event.shiftKey) move(sheet, key, false, true);
  else return false;
  return true;
}

/** key -> action(shiftKey) */
function keyActions(sheet) {
  const { decisions, viewer, filters, dialogs, menus, grid } = sheet;
  return {
    " ": () => viewer.toggleLoupe(),
    Enter: () => viewer.toggleLoupe(),
    z: () => viewer.toggleZoom(),
    p: (shift) => (shift && viewer.isSideBySide ? decisions.keepOnly() : decisions.mark("kept", shift)),
    x: (shift) => decisions.mark("rejected", shift),
    u: (shift) => decisions.mark(null, shift),
    c: () => viewer.toggleCompare(),
    n: () => viewer.toggleSurvey(),
    g: () => filters.toggleFolding(),
    s: () => filters.toggleSimilar(),
    v: () => requestVariations(sheet),
    t: () => dialogs.openTexts(),
    i: () => dialogs.openInfo(),
    f: () => menus.openFilters(document.getElementById("filter")),
    o: () => menus.openSorts(document.getElementById("sort")),
    r: (shift) => shift && dialogs.openNextRound(),
    "?": () => dialogs.openHelp(),
    "+": () => grid.resize(1),
    "=": () => grid.resize(1),
    "-": () => grid.resize(-1),
    Escape: () => sheet.escape(),
    ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((count) => [String(count), () => decisions.setStars(count)])),
  };
}

export function listenToKeys(sheet) {
  const actions = keyActions(sheet);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (event.target.closest?.(TEXT_FIELD) || sheet.dialogs.openDialog) return;
    const key = letterOf(event);
    if (event.ctrlKey || event.metaKey) {
      if (runCommand(sheet, key, event)) event.preventDefault();
      return;
    }
    if ((key === " " || key === "Enter") && event.target.closest("button, summary, a")) return;
    if (MOVE_KEYS.includes(key)) move(sheet, key, event.shiftKey && !sheet.viewer.isOpen, false);
    else if (!actions[key]) return;
    else if (!event.repeat) actions[key](event.shiftKey); // a key held down acts once
    event.preventDefault();
  });
}
