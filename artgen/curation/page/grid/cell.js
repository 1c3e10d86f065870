// One cell of the grid. The element carries `number` and `index` of its candidate, and its parts by name.
import { candidateLabel, plural, stateLabels } from "../data/format.js";
import { createElement } from "../dom.js";

const PARTS = ["picture", "mark", "stars", "parent", "folded", "selection-mark"];
const MARK_SHAPES = { kept: "tick", rejected: "cross" };

export function createCell() {
  const cell = createElement("div", { role: "option" });
  cell.parts = Object.fromEntries(PARTS.map((name) => [name, createElement("span", { class: name })]));
  cell.append(...Object.values(cell.parts));
  return cell;
}

/** Use a cell for another candidate. */
export function assignCell(cell, number) {
  cell.number = number;
  cell.id = "c" + number;
  cell.index = -1;
  cell.appearance = "";
  cell.parts.picture.replaceChildren();
  cell.needsThumbnail = true;
  cell.hidden = false;
}

/** Show the state of the cell's candidate. `sheet`: {candidates, order, selection, focused}. */
export function updateCell(cell, sheet) {
  const { number, parts } = cell, { candidates } = sheet, candidate = candidates.get(number);
  const foldedCount = sheet.order.foldedCounts.get(number) ?? 0;
  const parent = candidate ? candidate.variationOf : candidates.queued.get(number);
  const classes = ["cell"];
  if (candidate?.mark) classes.push(candidate.mark);
  if (candidate && candidates.isOutOfPlay(candidate)) classes.push("out-of-play");
  if (number === sheet.focused) classes.push("focused");
  if (sheet.selection.has(number)) classes.push("selected");
  if (!candidate) classes.push("queued");
  const label = candidate
    ? [candidateLabel(candidate), ...stateLabels(candidate, candidates), ...foldedLabel(foldedCount)].join(", ")
    : number + ", variation of " + parent + ", queued";
  const appearance = classes.join(" ") + "|" + label;
  if (cell.appearance === appearance) return;
  cell.appearance = appearance;
  if (candidate && !parts.picture.firstChild) cell.needsThumbnail = true;
  cell.className = classes.join(" ");
  cell.setAttribute("aria-label", label);
  cell.setAttribute("aria-selected", String(sheet.selection.has(number)));
  parts.mark.className = "mark " + (MARK_SHAPES[candidate?.mark] ?? "none");
  parts.stars.textContent = "\u2605".repeat(candidate?.stars ?? 0);
  parts.parent.textContent = parent === null || parent === undefined ? "" : "\u2248 " + parent;
  parts.folded.textContent = foldedCount ? "+" + foldedCount : "";
}

function foldedLabel(count) {
  return count ? [plural(count, "near-duplicate") + " folded"] : [];
}
