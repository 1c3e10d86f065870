// Which key does what. Decisions in deciding.js, order in arranging.js, and so on: nothing is done here.

const FIELD = "input, textarea, select, [contenteditable]";
const MOVES = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "h", "j", "k", "l"];

/** The letter on the key, in lower case; by its place on keyboards with other letters. */
function letterOf(event) {
  if (event.key.length > 1) return event.key;
  const other = event.key > "\u007f" && /^Key[A-Z]$/.test(event.code);
  return (other ? event.code.slice(3) : event.key).toLowerCase();
}

/** `extending`: the selection grows to the new place; `selecting`: it stays as it is. */
function move(desk, key, extending, selecting) {
  const { moving, looking, places, grid } = desk;
  const delta = { ArrowLeft: -1, h: -1, ArrowUp: -1, k: -1, PageUp: -1, ArrowRight: 1, l: 1, ArrowDown: 1, j: 1, PageDown: 1 }[key];
  if (looking.open) {
    if (delta) looking.by(delta);
    else if (!looking.several) looking.goTo(key === "Home" ? places.list[0] : places.list.at(-1));
    return;
  }
  if (extending) {
    const rows = { ArrowUp: -1, k: -1, ArrowDown: 1, j: 1, PageUp: -grid.rows, PageDown: grid.rows }[key];
    if (key === "Home") moving.extendTo(0);
    else if (key === "End") moving.extendTo(places.list.length - 1);
    else moving.extendTo(moving.place + (rows ? rows * grid.columns : delta));
  } else if (key === "Home") moving.goTo(0, selecting);
  else if (key === "End") moving.goTo(places.list.length - 1, selecting);
  else if (key === "PageUp" || key === "PageDown") moving.byPages(delta, selecting);
  else if (["ArrowUp", "ArrowDown", "j", "k"].includes(key)) moving.byRows(delta, selecting);
  else moving.by(delta, selecting);
}

/** Keys with Ctrl or Cmd: these; everything else is the browser's. */
function commanded(desk, key, event) {
  const { deciding, moving, looking } = desk;
  if (key === "z" && event.shiftKey) deciding.redo();
  else if (key === "z") deciding.undo();
  else if (key === "y" && !event.shiftKey) deciding.redo();
  else if (key === "a" && !event.shiftKey && !looking.open) moving.selectAll();
  else if (key === " " && !looking.open && desk.focus !== null) moving.toggle(desk.focus);
  else if (key.startsWith("Arrow") && !looking.open && !event.shiftKey) move(desk, key, false, true);
  else return false;
  return true;
}

function letters(desk) {
  const { deciding, looking, arranging, dialogs, menus } = desk;
  return {
    " ": () => looking.loupe(),
    Enter: () => looking.loupe(),
    z: () => looking.zoom(),
    p: (shift) => (shift && looking.several ? deciding.keepOnly() : deciding.mark("kept", shift)),
    x: (shift) => deciding.mark("rejected", shift),
    u: (shift) => deciding.mark(null, shift),
    c: () => looking.compare(),
    n: () => looking.survey(),
    g: () => arranging.fold(),
    s: () => arranging.like(),
    v: () => arranging.vary(),
    t: () => dialogs.describe(),
    i: () => dialogs.info(),
    f: () => menus.filter(document.getElementById("filter")),
    o: () => menus.sort(document.getElementById("sort")),
    r: (shift) => shift && dialogs.round(),
    "?": () => dialogs.help(),
    "+": () => desk.grid.resize(1),
    "=": () => desk.grid.resize(1),
    "-": () => desk.grid.resize(-1),
    Escape: () => desk.escape(),
    ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((count) => [String(count), () => deciding.stars(count)])),
  };
}

export function listenToKeys(desk) {
  const acts = letters(desk);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    if (event.target.closest?.(FIELD) || desk.dialogs.open) return;
    const key = letterOf(event);
    if (event.ctrlKey || event.metaKey) {
      if (commanded(desk, key, event)) event.preventDefault();
      return;
    }
    if ((key === " " || key === "Enter") && event.target.closest("button, summary, a")) return;
    if (MOVES.includes(key)) move(desk, key, event.shiftKey && !desk.looking.open, false);
    else if (!acts[key]) return;
    else if (!event.repeat) acts[key](event.shiftKey); // a key held down decides once
    event.preventDefault();
  });
}
