// The requests of the sheet to `artgen curate`, over HTTP from the same origin.

/** The server cannot be reached or cannot answer now: the same request may succeed later. */
export class UnavailableError extends Error {}

/** The server failed at this request: the same request may fail again. */
export class ServerError extends Error {}

/** The server rejects this request, and its message says why. */
export class RejectedError extends Error {}

export const UNREACHABLE = "the server cannot be reached";

const TIMEOUT_MS = 15000;
const RECONNECT_DELAYS_MS = [500, 1000, 2000, 4000];

async function request(path, body) {
  const options = { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body !== undefined) {
    options.method = "POST";
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
    options.priority = "high"; // before the thumbnails that wait for a connection
  }
  let response;
  try {
    response = await fetch(path, options);
    if (response.ok) return await response.json();
  } catch {
    throw new UnavailableError(UNREACHABLE);
  }
  if (response.status === 403) throw new UnavailableError("the server was restarted: open the address it printed");
  const { error } = await response.json().catch(() => ({})), { status } = response;
  if (status === 500) throw new ServerError(error ?? "the server has a problem");
  if (status > 500) throw new UnavailableError(error ?? "the server has a problem (" + status + ")");
  throw new RejectedError(error ?? "the server rejected the request (" + status + ")");
}

/** Listen to events until the page closes; a stream that broke resumes after its last event. */
function subscribe(cursor, handlers) {
  let lastId = cursor, failures = 0;
  const connect = () => {
    const source = new EventSource("/api/events?cursor=" + encodeURIComponent(lastId));
    for (const kind of ["decisions", "candidates", "queued"]) {
      source.addEventListener(kind, (event) => {
        lastId = event.lastEventId || lastId;
        handlers[kind](JSON.parse(event.data), lastId);
      });
    }
    source.onopen = () => { failures = 0; handlers.connected(); };
    source.onerror = async () => {
      source.close();
      // A stream does not say why it broke; a request does.
      await request("/api/run").catch((error) => handlers.disconnected(error.message));
      setTimeout(connect, RECONNECT_DELAYS_MS[Math.min(failures, RECONNECT_DELAYS_MS.length - 1)]);
      failures += 1;
    };
  };
  connect();
}

export function createServerApi() {
  return {
    supports: { server: true, order: true, groups: true, reasons: true, vary: true, export: false },
    loadRun: () => request("/api/run"),
    loadOrder: (by, number) => request("/api/order?by=" + by + (number === undefined ? "" : "&candidate=" + number)),
    loadGroups: () => request("/api/groups"),
    loadReasons: (number) => request("/api/reasons?candidate=" + number),
    loadProposal: (count) => request("/api/proposal?count=" + count),
    loadRecipe: () => request("/api/recipe"),
    decide: (rows, view, action) => request("/api/decisions", { action, view, rows }),
    undo: (view, action) => request("/api/undo", { view, action }),
    redo: (view, action) => request("/api/redo", { view, action }),
    round: (view, action) => request("/api/round", { view, action }),
    vary: (number, count) => request("/api/variations", { candidate: number, count }),
    subscribe,
    thumbnailUrl: (number) => "/thumb/" + number + ".webp",
    imageUrl: (number) => "/picture/" + number + ".png",
    stageUrl: (number, index) => "/stage/" + number + "/" + index + ".webp",
  };
}
