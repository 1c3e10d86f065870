// Variations of a candidate: the request, and the queue that the server draws them from.
import { plural } from "../data/format.js";

const VARIATION_COUNT = 4;

export async function requestVariations(sheet) {
  const number = sheet.viewer.focused();
  if (!sheet.candidates.get(number)) return;
  if (!sheet.api.supports.vary) {
    return sheet.showToast("Variations need artgen curate and cannot be made from a mailed sheet.");
  }
  const answer = await sheet.tryRequest(sheet.api.vary(number, VARIATION_COUNT));
  if (!answer) return;
  const added = sheet.candidates.addQueued(answer.queued);
  if (sheet.order.sort === "seed") sheet.filters.apply(); // empty cells next to it now: nothing moves later
  sheet.header.update();
  sheet.showToast(plural(added.length || VARIATION_COUNT, "variation") + " of candidate " + number + " queued.");
}

/** Take over the server's queue; `problem` says why it is not drawn. */
export function updateQueue(sheet, { queued, problem }) {
  sheet.candidates.addQueued(queued);
  if (sheet.candidates.removeUnqueued(queued)) sheet.filters.apply();
  if (problem && problem !== sheet.variationsProblem) sheet.showToast("Variations: " + problem);
  sheet.variationsProblem = problem ?? "";
  sheet.header.update();
}
