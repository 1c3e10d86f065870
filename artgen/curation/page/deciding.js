// Keeping, rejecting, stars, titles, rounds; undo and redo of all of them.
import { Past, decisionsIn } from "./state.js";
import { plural, someOf } from "./words.js";

const SAID = { kept: "kept", rejected: "rejected", null: "undecided again" };

export class Deciding {
  times = []; // ms, of the last minutes' decisions
  undoable = 0;
  redoable = 0;
  #past = new Past();
  #round = 1; // that the sheet shows

  constructor(desk) {
    this.desk = desk;
  }

  /** P, X, U: the focused one, or all that is selected. */
  mark(value, stay = false) {
    const { desk } = this, numbers = desk.looking.targets();
    const alone = !desk.selection.size && !desk.looking.several;
    this.#set(numbers.flatMap((number) => this.#marked(number, value)), true);
    if (alone && !stay) desk.moving.toNextUndecided();
    else if (numbers.length > 1) desk.say(someOf(numbers) + " " + SAID[value] + ".");
    desk.looking.refresh();
  }

  /** Shift+P among several: the focused one is the one. */
  keepOnly() {
    const { looking } = this.desk, [chosen] = looking.targets();
    const rows = looking.numbers().flatMap((number) => this.#marked(number, number === chosen ? "kept" : "rejected"));
    this.#set(rows, true);
    this.desk.say(chosen + " kept, " + (looking.numbers().length - 1) + " rejected.");
    looking.refresh();
  }

  stars(count) {
    this.#set(this.desk.looking.targets().map((number) => [number, "stars", count]));
    this.desk.looking.refresh();
  }

  describe(number, title, alt) {
    this.#set([[number, "title", title], [number, "alt", alt]]);
  }

  nextRound() {
    const { frames } = this.desk;
    const kept = [...frames.all.values()].filter((frame) => frame.mark === "kept");
    const rows = kept.flatMap(({ number, round }) => [[number, "round", round + 1], [number, "mark", null]]);
    this.#send("round", rows);
    this.desk.arranging.filter("round", true);
    this.desk.say("Round " + frames.round + ": " + plural(kept.length, "candidate") + ", undecided again.");
  }

  undo() {
    if (!this.undoable) return this.desk.say("Nothing to undo.");
    this.undoable -= 1;
    this.redoable += 1;
    this.#send("undo", this.#past.undo());
  }

  redo() {
    if (!this.redoable) return this.desk.say("Nothing to redo.");
    this.undoable += 1;
    this.redoable -= 1;
    this.#send("redo", this.#past.redo());
  }

  /** Show what an earlier page of this browser could not send. */
  restore(items) {
    for (const { action, rows, kind } of items) {
      this.desk.frames.decide(action, rows);
      this.undoable += kind === "undo" ? -1 : 1;
      this.redoable = kind === "undo" ? this.redoable + 1 : 0;
    }
  }

  /** The server has it on disk. */
  answered(item, answer) {
    const { desk } = this, rows = answer.rows ?? [];
    const changed = desk.frames.settle(item.action, rows, decisionsIn(answer.cursor));
    if (!desk.outbox.waiting) this.#depths(answer);
    if (item.kind !== "decide" && !item.rows.length && rows.length) this.#goTo(rows, item.kind);
    this.#changed(changed);
  }

  refused(item, error) {
    this.#past.forget();
    this.desk.say("Not saved: " + error.message);
    this.#changed(this.desk.frames.settle(item.action, [], 0));
  }

  /** Decisions of this or another tab, or of a command. */
  heard({ rows, undo, redo }, cursor) {
    const changed = this.desk.frames.lay(rows, decisionsIn(cursor));
    if (changed.size) this.#past.forget();
    if (!this.desk.outbox.waiting) this.#depths({ undo, redo });
    this.#changed(changed);
  }

  /** How many decisions a minute, over the last minutes. */
  pace(now) {
    this.times = this.times.filter((time) => now - time < 120000);
    if (this.times.length < 2) return 0;
    return Math.round((this.times.length - 1) / Math.max(10000, now - this.times[0]) * 60000);
  }

  #marked(number, value) {
    const frame = this.desk.frames.get(number), round = this.desk.frames.round;
    if (!frame) return [];
    const lifted = value === "kept" && frame.round < round ? [[number, "round", round]] : [];
    return [[number, "mark", value], ...lifted];
  }

  #set(rows, timed = false) {
    const { frames } = this.desk;
    const fresh = rows.filter(([number, field, value]) => {
      const frame = frames.get(number);
      return frame && frame[field] !== value;
    });
    if (!fresh.length) return;
    if (timed) this.times.push(Date.now());
    this.undoable += 1;
    this.redoable = 0;
    this.#send("decide", fresh);
  }

  #send(kind, rows) {
    const { desk } = this, action = crypto.randomUUID().replaceAll("-", "");
    const before = desk.frames.decide(action, rows);
    if (kind === "decide" || kind === "round") this.#past.push(before, rows);
    else if (rows.length) this.#goTo(rows, kind);
    desk.outbox.add({ kind, action, view: desk.looking.view(), rows });
    this.#changed(new Set(rows.map(([number]) => number)));
  }

  #goTo(rows, kind) {
    const { desk } = this, numbers = [...new Set(rows.map(([number]) => number))];
    desk.say((kind === "undo" ? "Undone: " : "Done again: ") + someOf(numbers) + ".");
    if (rows.some(([, field]) => field === "round")) desk.arranging.apply();
    if (numbers.every((number) => desk.places.at(number) < 0)) desk.arranging.apply();
    if (numbers.every((number) => desk.places.at(number) < 0)) desk.arranging.filter("every");
    const shown = numbers.find((number) => desk.places.at(number) >= 0);
    if (shown !== undefined) desk.looking.goTo(shown);
  }

  #depths({ undo, redo }) {
    if (undo !== undefined) this.undoable = undo;
    if (redo !== undefined) this.redoable = redo;
  }

  #changed(numbers) {
    const { desk } = this;
    const { round } = desk.frames;
    if (round === this.#round) desk.grid.repaint(numbers);
    else desk.grid.repaintAll(); // what was undecided is left behind now, or no more
    this.#round = round;
    desk.header.show();
    if (numbers.has(desk.focus)) desk.footer.show();
    if (numbers.size) {
      desk.looking.refresh();
      desk.arranging.learn();
    }
  }
}
