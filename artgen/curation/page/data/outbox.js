// Decisions that the server has not confirmed: stored in this browser, sent in order, and sent again under the
// same id until the server answers.
import { RejectedError, ServerError } from "./server_api.js";
import { readStored, writeStored } from "./storage.js";

const MAX_FAILURES = 5; // of one item: then it must not hold up the items behind it
const POLL_MS = 20;
const RESEND_DELAYS_MS = [300, 600, 1200, 2500, 5000];

export class Outbox {
  problem = ""; // why nothing can be sent
  #items = [];
  #attempts = 0;
  #isSending = false;
  #resendNow = () => {};

  /** `handlers`: {confirmed(item, answer), rejected(item, error), changed()}. */
  constructor(api, runName, handlers) {
    this.api = api;
    this.handlers = handlers;
    this.keyPrefix = "artgen:unsent:" + runName + ":";
    this.addedCount = 0;
  }

  get waiting() {
    return this.#items.length;
  }

  /** Send what an earlier page of this browser could not send; returns it, oldest first. */
  restore() {
    const keys = this.api.supports.server ? Object.keys(localStorage) : [];
    for (const key of keys.filter((name) => name.startsWith(this.keyPrefix)).sort()) {
      const item = readStored(key);
      if (item) this.#items.push({ ...item, key });
    }
    this.#send();
    return this.#items;
  }

  /** @param item {kind: "decide" | "undo" | "redo" | "round", action, view, rows} */
  add(item) {
    // Each item has its own key, so that two tabs do not overwrite each other's.
    const stamp = Date.now() + ":" + String(this.addedCount++).padStart(6, "0");
    const key = this.keyPrefix + stamp + ":" + item.action;
    if (this.api.supports.server) writeStored(key, item); // it is sent even if it cannot be stored
    this.#items.push({ ...item, key });
    this.#send();
  }

  /** Wait until everything is answered, or cannot be sent now. */
  async settled() {
    while (this.#items.length && !this.problem) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }

  /** The server seems to be back: send at once. */
  retry() {
    this.#attempts = 0;
    this.#resendNow();
  }

  async #send() {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#items.length) {
      const item = this.#items[0];
      try {
        const answer = await this.#post(item);
        this.problem = "";
        this.#attempts = 0;
        this.#remove(item);
        this.handlers.confirmed(item, answer);
      } catch (error) {
        if (error instanceof ServerError) item.failures = (item.failures ?? 0) + 1;
        if (error instanceof RejectedError || item.failures >= MAX_FAILURES) {
          this.problem = "";
          this.#remove(item);
          this.handlers.rejected(item, error);
          continue;
        }
        this.problem = error.message;
        this.handlers.changed();
        await this.#delay();
      }
    }
    this.#isSending = false;
    this.handlers.changed();
  }

  #post({ kind, rows, view, action }) {
    return kind === "decide" ? this.api.decide(rows, view, action) : this.api[kind](view, action);
  }

  #remove(item) {
    this.#items.shift();
    if (this.api.supports.server) localStorage.removeItem(item.key);
  }

  #delay() {
    const delay = RESEND_DELAYS_MS[Math.min(this.#attempts++, RESEND_DELAYS_MS.length - 1)];
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#resendNow = () => { clearTimeout(timer); resolve(); };
    });
  }
}
