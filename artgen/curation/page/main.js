// The contact sheet: creates the parts of the page and keeps them in step with the run.
import { Decisions } from "./controls/decisions.js";
import { Filters } from "./controls/filters.js";
import { Footer } from "./controls/footer.js";
import { Header } from "./controls/header.js";
import { listenToKeys } from "./controls/keys.js";
import { Menus } from "./controls/menus.js";
import { updateQueue } from "./controls/variations.js";
import { Candidates } from "./data/candidates.js";
import { sentence } from "./data/format.js";
import { FILTERS, Order } from "./data/order.js";
import { Outbox } from "./data/outbox.js";
import { createServerApi } from "./data/server_api.js";
import { createStaticApi } from "./data/static_api.js";
import { readStored, writeStored } from "./data/storage.js";
import { Dialogs } from "./dialogs/dialogs.js";
import { createElement } from "./dom.js";
import { Focus } from "./grid/focus.js";
import { Grid } from "./grid/grid.js";
import { listenToPointer } from "./grid/pointer.js";
import { ThumbnailCache } from "./grid/thumbnails.js";
import { ViewerModes } from "./viewer/viewer_modes.js";

const TOAST_MS = 5000;
const SAVE_VIEW_DELAY_MS = 200;
const REVOKE_DELAY_MS = 1000; // the download has started by then

/** The state that all parts of the page share, and the parts themselves. */
class ContactSheet {
  focused = null; // the number of the focused candidate
  selection = new Set(); // numbers
  offlineReason = ""; // why no events arrive
  variationsProblem = ""; // why queued variations are not drawn
  #toast = document.getElementById("toast");

  constructor(api, run) {
    this.api = api;
    this.candidates = new Candidates(run);
    this.order = new Order(this.candidates);
    this.thumbnails = new ThumbnailCache(api);
    this.outbox = new Outbox(api, run.name, {
      confirmed: (item, answer) => this.decisions.onConfirmed(item, answer),
      rejected: (item, error) => this.decisions.onRejected(item, error),
      changed: () => this.header.update(),
    });
    this.focus = new Focus(this);
    this.decisions = new Decisions(this);
    this.filters = new Filters(this);
    this.viewer = new ViewerModes(this);
    this.menus = new Menus(this);
    this.dialogs = new Dialogs(this);
    this.header = new Header(this);
    this.footer = new Footer(this);
    this.grid = new Grid(document.getElementById("scroller"), document.getElementById("grid"), this);
    this.decisions.undoCount = run.undo;
    this.decisions.redoCount = run.redo;
    this.viewKey = "artgen:place:" + run.name;
  }

  /** Show a message for some seconds. */
  showToast(text) {
    this.#toast.textContent = text;
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => this.hideToast(), TOAST_MS);
  }

  hideToast() {
    clearTimeout(this.toastTimer);
    this.#toast.textContent = "";
  }

  /** The answer to a request; null, and a toast with the reason, where it fails. */
  async tryRequest(promise) {
    try {
      return await promise;
    } catch (error) {
      this.showToast(sentence(error.message));
      return null;
    }
  }

  /** Give the keyboard focus to the part that keys act on. */
  restoreKeyboardFocus() {
    const viewer = document.querySelector(".viewer");
    if (viewer) viewer.focus({ preventScroll: true });
    else this.grid.focus();
  }

  escape() {
    if (this.viewer.isOpen) this.viewer.close();
    else if (!this.focus.clearSelection()) this.filters.leaveSimilar();
  }

  /** Filter, sort and focus outlast a reload of this tab. */
  scheduleSaveView() {
    clearTimeout(this.saveViewTimer);
    this.saveViewTimer = setTimeout(() => this.#saveView(), SAVE_VIEW_DELAY_MS);
  }

  #saveView() {
    const { focused, order } = this;
    const filter = order.filter === "proposed" ? "round" : order.filter; // these two need an answer of the server
    const sort = order.sort === "like" ? "run" : order.sort;
    writeStored(this.viewKey, { focus: focused, filter, sort }, "sessionStorage");
  }

  async start() {
    const { focus = null, filter, sort } = readStored(this.viewKey, {}, "sessionStorage");
    window.addEventListener("pagehide", () => this.#saveView());
    this.decisions.restore(this.outbox.restore());
    this.order.filter = filter in FILTERS ? filter : "round";
    this.focused = focus;
    this.grid.layOut();
    this.filters.apply();
    if (sort && sort !== "run") await this.filters.setSort(sort);
    if (this.order.indexOf(focus) >= 0) this.focus.moveTo(focus);
  }

  exportPicks() {
    const text = JSON.stringify(this.api.exportPicks(), null, 2) + "\n";
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    createElement("a", { href: url, download: "picks.json" }).click();
    setTimeout(() => URL.revokeObjectURL(url), REVOKE_DELAY_MS);
    this.showToast("picks.json is saved; `artgen pick --from picks.json` imports it into the run.");
  }

  subscribe(cursor) {
    this.api.subscribe(cursor, {
      decisions: (event, newCursor) => this.decisions.onEvent(event, newCursor),
      candidates: ({ candidates }) => this.filters.addCandidates(this.candidates.add(candidates)),
      queued: (event) => updateQueue(this, event),
      connected: () => this.#onConnected(),
      disconnected: (reason) => {
        this.offlineReason = reason;
        this.header.update();
      },
    });
  }

  async #onConnected() {
    const wasOffline = this.offlineReason;
    this.offlineReason = "";
    this.outbox.retry();
    if (wasOffline) {
      const run = await this.api.loadRun().catch(() => null);
      this.filters.addCandidates(run ? this.candidates.refresh(run) : []);
      this.grid.repaintAll(); // another round may have started
    }
    this.header.update();
  }
}

async function main() {
  const mailed = document.getElementById("data");
  const api = mailed ? createStaticApi(JSON.parse(mailed.textContent)) : createServerApi();
  let run;
  try {
    run = await api.loadRun();
  } catch (error) {
    document.getElementById("empty").textContent = "The run cannot be read: " + error.message + ".";
    return;
  }
  const sheet = new ContactSheet(api, run);
  listenToKeys(sheet);
  listenToPointer(sheet, document.getElementById("grid"));
  sheet.grid.focus();
  await sheet.start();
  sheet.subscribe(run.cursor);
}

main();
