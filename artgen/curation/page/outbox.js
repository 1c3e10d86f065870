// What this page decided and the server has not yet said it has: kept in this browser, sent in order, and
// sent again, under the same id, until it is answered.
import { Failed, Refused } from "./link.js";

const MOST_TRIES = 5; // of what the server fails at: then it must not keep back all that waits behind it
const SOON = 20; // ms
const PAUSES = [300, 600, 1200, 2500, 5000]; // ms between tries

export class Outbox {
  gone = ""; // why nothing can be sent, in words
  #items = [];
  #tries = 0;
  #sending = false;
  #wake = () => {};

  /** `heard`: {answered(item, answer), refused(item, error), changed()}. */
  constructor(link, name, heard) {
    this.link = link;
    this.heard = heard;
    this.prefix = "artgen:unsent:" + name + ":";
    this.count = 0;
  }

  get waiting() {
    return this.#items.length;
  }

  /** What an earlier page of this browser could not send, oldest first; sends it. */
  restore() {
    const keys = this.link.can.server ? Object.keys(localStorage) : [];
    for (const key of keys.filter((name) => name.startsWith(this.prefix)).sort()) {
      try { this.#items.push({ ...JSON.parse(localStorage.getItem(key)), key }); } catch { /* not ours */ }
    }
    this.#send();
    return this.#items;
  }

  /** @param item {kind: "decide" | "undo" | "redo" | "round", action, view, rows} */
  add(item) {
    // Each under a key of its own, so that two tabs do not overwrite each other's.
    const stamp = Date.now() + ":" + String(this.count++).padStart(6, "0");
    const kept = { ...item, key: this.prefix + stamp + ":" + item.action };
    if (this.link.can.server) {
      try { localStorage.setItem(kept.key, JSON.stringify(item)); } catch { /* full, or closed: it is still sent */ }
    }
    this.#items.push(kept);
    this.#send();
  }

  /** When all that was decided is answered, or cannot be sent now. */
  async settled() {
    while (this.#items.length && !this.gone) await new Promise((resolve) => setTimeout(resolve, SOON));
  }

  /** The server seems to be back. */
  nudge() {
    this.#tries = 0;
    this.#wake();
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    while (this.#items.length) {
      const item = this.#items[0];
      try {
        const answer = await this.#post(item);
        this.gone = "";
        this.#tries = 0;
        this.#drop(item);
        this.heard.answered(item, answer);
      } catch (error) {
        if (error instanceof Failed) item.failures = (item.failures ?? 0) + 1;
        if (error instanceof Refused || item.failures >= MOST_TRIES) {
          this.gone = "";
          this.#drop(item);
          this.heard.refused(item, error);
          continue;
        }
        this.gone = error.message;
        this.heard.changed();
        await this.#pause();
      }
    }
    this.#sending = false;
    this.heard.changed();
  }

  #post({ kind, rows, view, action }) {
    return kind === "decide" ? this.link.decide(rows, view, action) : this.link[kind](view, action);
  }

  #drop(item) {
    this.#items.shift();
    if (this.link.can.server) localStorage.removeItem(item.key);
  }

  #pause() {
    const pause = PAUSES[Math.min(this.#tries++, PAUSES.length - 1)];
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pause);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}
