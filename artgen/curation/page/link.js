// What the sheet asks of `artgen curate`, over HTTP from the same origin.

/** Nothing can be had now, for a reason that may pass: what was asked may be asked again. */
export class Gone extends Error {}

/** The server was reached and failed at this: the same again may fail as well. */
export class Failed extends Error {}

/** The server was reached and says no, in words. */
export class Refused extends Error {}

export const UNREACHED = "the server is gone";

const PATIENCE = 15000; // ms
const WAITS = [500, 1000, 2000, 4000]; // ms between tries of a connection that is gone

async function ask(path, body) {
  const settings = { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) };
  if (body !== undefined) {
    settings.method = "POST";
    settings.headers = { "Content-Type": "application/json" };
    settings.body = JSON.stringify(body);
    settings.priority = "high"; // before the thumbnails that wait for a connection
  }
  let answer;
  try {
    answer = await fetch(path, settings);
    if (answer.ok) return await answer.json();
  } catch {
    throw new Gone(UNREACHED);
  }
  if (answer.status === 403) throw new Gone("the server was started anew: open the address it printed");
  const { error } = await answer.json().catch(() => ({})), { status } = answer;
  if (status === 500) throw new Failed(error ?? "the server has a problem");
  if (status > 500) throw new Gone(error ?? "the server has a problem (" + status + ")");
  throw new Refused(error ?? "the server refused (" + status + ")");
}

/** Listen until the page goes; a broken stream goes on after what it brought last. */
function listenTo(cursor, handlers) {
  let last = cursor, tries = 0;
  const open = () => {
    const source = new EventSource("/api/events?cursor=" + encodeURIComponent(last));
    for (const kind of ["decisions", "candidates", "queued"]) {
      source.addEventListener(kind, (event) => {
        last = event.lastEventId || last;
        handlers[kind](JSON.parse(event.data), last);
      });
    }
    source.onopen = () => { tries = 0; handlers.open(); };
    source.onerror = async () => {
      source.close();
      // A stream does not say why it broke: a question does.
      await ask("/api/run").catch((error) => handlers.gone(error.message));
      setTimeout(open, WAITS[Math.min(tries, WAITS.length - 1)]);
      tries += 1;
    };
  };
  open();
}

export function serverLink() {
  return {
    can: { server: true, order: true, groups: true, reasons: true, vary: true, export: false },
    run: () => ask("/api/run"),
    decide: (rows, view, action) => ask("/api/decisions", { action, view, rows }),
    undo: (view, action) => ask("/api/undo", { view, action }),
    redo: (view, action) => ask("/api/redo", { view, action }),
    round: (view, action) => ask("/api/round", { view, action }),
    vary: (number, count) => ask("/api/variations", { candidate: number, count }),
    order: (by, number) => ask("/api/order?by=" + by + (number === undefined ? "" : "&candidate=" + number)),
    groups: () => ask("/api/groups"),
    reasons: (number) => ask("/api/reasons?candidate=" + number),
    proposal: (count) => ask("/api/proposal?count=" + count),
    recipe: () => ask("/api/recipe"),
    events: listenTo,
    thumb: (number) => "/thumb/" + number + ".webp",
    picture: (number) => "/picture/" + number + ".png",
    stage: (number, at) => "/stage/" + number + "/" + at + ".webp",
  };
}
