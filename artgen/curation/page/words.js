// How numbers, draws and states are said.

const DIGITS = new Intl.NumberFormat("en");

export function thousands(count) {
  return DIGITS.format(count);
}

export function plural(count, noun) {
  return thousands(count) + " " + noun + (count === 1 ? "" : "s");
}

export function drawnWords(value) {
  if (Array.isArray(value)) return value.map(drawnWords).join(" + ");
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(3)));
  return String(value).replace(/^builtin:/, "");
}

/** `["style.strength 0.43", ...]`, as the recipe orders them. */
export function drawsOf(frame) {
  return Object.entries(frame.draws ?? {}).flatMap(([step, fields]) =>
    Object.entries(fields).map(([field, value]) => step + "." + field + " " + drawnWords(value)),
  );
}

/** `["kept", "3 stars", "variation of 14"]`: what a candidate's signs in the sheet mean. */
export function stateOf(frame, frames) {
  const left = frames.leftBehind(frame), words = [];
  if (frame.mark || !left) words.push(frame.mark ?? "undecided");
  if (left) words.push("left behind in round " + frame.round);
  if (frame.stars) words.push(plural(frame.stars, "star"));
  if (frame.variationOf !== null) words.push("variation of " + frame.variationOf);
  return words;
}

export function nameOf(frame) {
  const words = frame.title || frame.caption;
  return words ? frame.number + ": " + words : String(frame.number);
}

export function someOf(numbers) {
  return numbers.length === 1 ? String(numbers[0]) : plural(numbers.length, "candidate");
}
