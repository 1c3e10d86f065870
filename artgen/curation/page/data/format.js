// Text for numbers, draws and the state of candidates.

const NUMBER_FORMAT = new Intl.NumberFormat("en");

export function formatCount(count) {
  return NUMBER_FORMAT.format(count);
}

export function plural(count, noun) {
  return formatCount(count) + " " + noun + (count === 1 ? "" : "s");
}

/** "the disk is full" -> "The disk is full." */
export function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + ".";
}

/** `[["style.strength", "0.43"], ...]`, in the order of the recipe. */
export function drawEntries(candidate) {
  return Object.entries(candidate.draws ?? {}).flatMap(([step, fields]) =>
    Object.entries(fields).map(([field, value]) => [step + "." + field, formatDraw(value)]),
  );
}

function formatDraw(value) {
  if (Array.isArray(value)) return value.map(formatDraw).join(" + ");
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(3)));
  return String(value).replace(/^builtin:/, "");
}

/** `["kept", "3 stars", "variation of 14"]`: the marks on a candidate's cell, in words. */
export function stateLabels(candidate, candidates) {
  const outOfPlay = candidates.isOutOfPlay(candidate), labels = [];
  if (candidate.mark || !outOfPlay) labels.push(candidate.mark ?? "undecided");
  if (outOfPlay) labels.push("out of play after round " + candidate.round);
  if (candidate.stars) labels.push(plural(candidate.stars, "star"));
  if (candidate.variationOf !== null) labels.push("variation of " + candidate.variationOf);
  return labels;
}

/** The number, with the title or else the caption. */
export function candidateLabel(candidate) {
  const text = candidate.title || candidate.caption;
  return text ? candidate.number + ": " + text : String(candidate.number);
}

/** `[14]` -> "candidate 14", more -> "3 candidates". */
export function candidatesLabel(numbers) {
  return numbers.length === 1 ? "candidate " + numbers[0] : plural(numbers.length, "candidate");
}
