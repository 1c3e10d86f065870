// The contact sheet: puts its parts together and keeps them agreed with the run.
import { Arranging } from "./arranging.js";
import { Deciding } from "./deciding.js";
import { Dialogs } from "./dialogs.js";
import { Footer } from "./footer.js";
import { Grid } from "./grid.js";
import { listenToHands } from "./hands.js";
import { Header } from "./header.js";
import { listenToKeys } from "./keys.js";
import { serverLink } from "./link.js";
import { localLink } from "./local.js";
import { Looking } from "./looking.js";
import { Menus } from "./menus.js";
import { Moving } from "./moving.js";
import { Outbox } from "./outbox.js";
import { Pictures } from "./pictures.js";
import { Places } from "./places.js";
import { Frames } from "./state.js";

const TOLD = 5000; // ms that a message stands

/** What all parts of the page share. */
class Desk {
  focus = null; // the number of the focused candidate
  selection = new Set();
  away = ""; // why the stream of events is silent, in words
  problem = ""; // why variations that were asked for are not drawn, in words

  constructor(link, run) {
    this.link = link;
    this.frames = new Frames(run);
    this.places = new Places(this.frames);
    this.pictures = new Pictures(link);
    this.outbox = new Outbox(link, run.name, {
      answered: (item, answer) => this.deciding.answered(item, answer),
      refused: (item, error) => this.deciding.refused(item, error),
      changed: () => this.header.show(),
    });
    this.moving = new Moving(this);
    this.deciding = new Deciding(this);
    this.arranging = new Arranging(this);
    this.looking = new Looking(this);
    this.menus = new Menus(this);
    this.dialogs = new Dialogs(this);
    this.header = new Header(this);
    this.footer = new Footer(this);
    this.grid = new Grid(document.getElementById("scroller"), document.getElementById("grid"), this);
    this.deciding.undoable = run.undo;
    this.deciding.redoable = run.redo;
  }

  /** Tell the artist something, for some seconds. */
  say(words) {
    const said = document.getElementById("said");
    said.textContent = words;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => this.unsay(), TOLD);
  }

  /** What was told was about another view. */
  unsay() {
    clearTimeout(this.saying);
    document.getElementById("said").textContent = "";
  }

  /** What a request gives; nothing, and its words are told, where it fails. */
  async asked(request) {
    try {
      return await request;
    } catch (error) {
      this.say(error.message[0].toUpperCase() + error.message.slice(1) + ".");
      return null;
    }
  }

  /** The focus goes to what keys act on. */
  back() {
    const viewer = document.querySelector(".viewer");
    if (viewer) viewer.focus({ preventScroll: true });
    else this.grid.take();
  }

  escape() {
    if (this.looking.open) this.looking.close();
    else if (!this.moving.clear()) this.arranging.unlike();
  }

  /** Filter, sort and place outlast a reload of this tab. */
  remember() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => this.#write(), 200);
  }

  #write() {
    const { filter, sort } = this.places, { focus } = this;
    const kept = { focus, filter: filter === "proposed" ? "round" : filter, sort: sort === "like" ? "run" : sort };
    try { sessionStorage.setItem("artgen:place:" + this.frames.name, JSON.stringify(kept)); } catch { /* closed */ }
  }

  async begin() {
    let kept = {};
    try { kept = JSON.parse(sessionStorage.getItem("artgen:place:" + this.frames.name)) ?? {}; } catch { /* closed */ }
    window.addEventListener("pagehide", () => this.#write());
    this.deciding.restore(this.outbox.restore());
    this.places.filter = kept.filter ?? "round";
    this.focus = kept.focus ?? null;
    this.grid.layout();
    this.arranging.apply();
    if (kept.sort && kept.sort !== "run") await this.arranging.sort(kept.sort);
    if (this.places.at(kept.focus) >= 0) this.moving.go(kept.focus);
  }

  exportPicks() {
    const text = JSON.stringify(this.link.picks(), null, 2) + "\n", anchor = document.createElement("a");
    anchor.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    anchor.download = "picks.json";
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 1000);
    this.say("picks.json is saved; `artgen pick --from picks.json` takes it into the run.");
  }

  listen(cursor) {
    this.link.events(cursor, {
      decisions: (event, at) => this.deciding.heard(event, at),
      candidates: ({ candidates }) => this.arranging.arrived(this.frames.add(candidates)),
      queued: ({ queued, problem }) => {
        this.frames.expect(queued);
        if (this.frames.withdraw(queued)) this.arranging.apply();
        if (problem && problem !== this.problem) this.say("Variations: " + problem);
        this.problem = problem ?? "";
        this.header.show();
      },
      open: () => this.#returned(),
      gone: (words) => {
        this.away = words;
        this.header.show();
      },
    });
  }

  async #returned() {
    const away = this.away;
    this.away = "";
    this.outbox.nudge();
    if (away) {
      const run = await this.link.run().catch(() => null);
      const [, fresh] = run ? this.frames.refresh(run) : [[], []];
      this.arranging.arrived(fresh);
      this.grid.repaintAll(); // the round may be another one
    }
    this.header.show();
  }
}

async function begin() {
  const mailed = document.getElementById("data");
  const link = mailed ? localLink(JSON.parse(mailed.textContent)) : serverLink();
  let run;
  try {
    run = await link.run();
  } catch (error) {
    document.getElementById("empty").textContent = "The run cannot be read: " + error.message + ".";
    return;
  }
  const desk = new Desk(link, run);
  listenToKeys(desk);
  listenToHands(desk, document.getElementById("grid"));
  desk.grid.take();
  await desk.begin();
  desk.listen(run.cursor);
}

begin();
