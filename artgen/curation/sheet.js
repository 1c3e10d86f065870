"use strict";
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const frames = run.candidates;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const grid = one("#grid"), loupe = one("#loupe"), large = one("#large"), help = one("#help");
  const cells = all(".cell");
  const key = "artgen:picks:" + run.name;
  const plural = (count, noun) => count + " " + noun + (count === 1 ? "" : "s");
  let at = 0;

  // What the run's store says and what this browser remembers may both have moved on since they
  // last agreed (`saved.base`): changes made here are laid over what the store says now.
  const remembered = () => {
    const stored = new Set(run.picks);
    try {
      const saved = JSON.parse(localStorage.getItem(key));
      if (!saved) return stored;
      const base = new Set(saved.base), mine = new Set(saved.picks);
      for (const index of mine) if (!base.has(index)) stored.add(index);
      for (const index of base) if (!mine.has(index)) stored.delete(index);
    } catch { /* nothing usable was kept */ }
    const known = new Set(frames.map((frame) => frame.index));
    return new Set([...stored].filter((index) => known.has(index)));
  };
  const picks = remembered();
  const picked = () => [...picks].sort((a, b) => a - b);

  let saying = 0;
  const say = (words) => {
    one("#said").textContent = words;
    // A modal dialog makes everything outside it inert: what is said is said inside it.
    (loupe.open ? loupe : document.body).append(one("#said"));
    clearTimeout(saying);
    saying = setTimeout(() => { one("#said").textContent = ""; }, 4000);
  };
  const keep = () => {
    try {
      localStorage.setItem(key, JSON.stringify({ base: run.picks, picks: picked() }));
    } catch {
      say("This browser keeps nothing for this page: export the picks before you close it.");
    }
  };

  const commands = () => {
    const fresh = picked().filter((index) => !run.picks.includes(index));
    const gone = run.picks.filter((index) => !picks.has(index));
    const chosen = picked();
    const lines = [];
    if (chosen.length && (fresh.length || !gone.length)) lines.push(run.command + " " + chosen.join(" "));
    if (gone.length) lines.push(run.command + " --off " + gone.join(" "));
    return { lines, unsaved: fresh.length + gone.length };
  };

  const count = () => {
    const { lines, unsaved } = commands();
    const words = picks.size + " of " + plural(frames.length, "candidate") + " picked";
    one("#counts").textContent = window.innerWidth < 640 ? picks.size + " / " + frames.length : words;
    if (unsaved && window.innerWidth >= 900) one("#counts").textContent += ", " + unsaved + " not yet in the run";
    one("#copy").disabled = !lines.length;
    one("#export").disabled = !frames.length;
  };
  const mark = (place) => cells[place].setAttribute("aria-selected", String(picks.has(frames[place].index)));

  const tell = () => {
    const frame = frames[at], on = picks.has(frame.index);
    for (const part of all(".about")) {
      part.querySelector(".number").textContent = frame.index;
      part.querySelector(".words").textContent = frame.caption;
      part.querySelector(".draws").textContent =
        ["seed " + frame.seed, ...frame.draws].join("  \u00b7  ");
      part.querySelector(".draws").title = frame.draws.join("\n");
    }
    for (const button of all(".pick")) {
      button.setAttribute("aria-pressed", String(on));
      button.textContent = on ? "Picked" : "Pick";
    }
    one(".view").classList.toggle("picked", on);
  };

  const show = () => {
    const frame = frames[at], place = at;
    large.src = frame.thumb;
    large.alt = frame.index + ": " + frame.caption;
    const full = new Image();
    full.src = frame.file;
    full.decode().then(
      () => { if (place === at && loupe.open) large.src = frame.file; },
      () => { if (place === at && loupe.open) say("The picture " + frame.file + " cannot be shown."); },
    );
    for (const near of [at + 1, at - 1]) if (frames[near]) new Image().src = frames[near].file;
  };

  const go = (place) => {
    cells[at].classList.remove("current");
    cells[at].tabIndex = -1;
    at = Math.max(0, Math.min(frames.length - 1, place));
    const cell = cells[at];
    cell.classList.add("current");
    cell.tabIndex = 0;
    if (!loupe.open) cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest" });
    tell();
    if (loupe.open) show();
  };
  const pick = (place = at) => {
    const index = frames[place].index;
    if (!picks.delete(index)) picks.add(index);
    mark(place);
    keep();
    count();
    tell();
  };
  const open = () => { loupe.showModal(); loupe.focus(); tell(); show(); };
  const close = () => loupe.close();
  const columns = () => getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const row = (place) => Math.floor(place / columns());

  const exported = () => {
    const text = JSON.stringify({ format: 1, run: run.name, picks: picked() }, null, 2) + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "picks.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    say("picks.json: " + plural(picks.size, "pick"));
  };
  const copy = async () => {
    const text = commands().lines.join("\n");
    try {
      await navigator.clipboard.writeText(text);
      say("Copied: " + text);
    } catch {
      const box = one("#command textarea");
      box.value = text;
      one("#command").showModal();
      box.select();
    }
  };

  count();
  one("#help-open").addEventListener("click", () => help.showModal());
  if (!frames.length) return;
  keep();  // what was merged is the new base: a pick that the run takes back later stays taken back
  cells.forEach((_, place) => mark(place));
  for (const button of [one("#pick"), one("#loupe-open")]) button.disabled = false;
  go(0);

  const moves = {
    ArrowLeft: () => -1, ArrowRight: () => 1, h: () => -1, l: () => 1,
    ArrowUp: () => (loupe.open ? -1 : -columns()), k: () => (loupe.open ? -1 : -columns()),
    ArrowDown: () => (loupe.open ? 1 : columns()), j: () => (loupe.open ? 1 : columns()),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open || one("#command").open) return;
    const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (letter === " " && event.target.closest("button")) return;
    if (moves[letter]) {
      // A step off the edge of the sheet stays where it is rather than jump along the row.
      const place = at + moves[letter]();
      if (place >= 0 && place < frames.length) go(place);
      else if (place > 0 && !loupe.open && row(at) < row(frames.length - 1)) go(frames.length - 1);
    } else if (letter === "Home") go(0);
    else if (letter === "End") go(frames.length - 1);
    else if (letter === " ") { if (loupe.open) close(); else open(); }
    else if (letter === "Enter" && event.target.closest(".cell")) open();
    else if (letter === "p") { if (!event.repeat) pick(); }
    else if (letter === "e") exported();
    else if (letter === "?") help.showModal();
    else return;
    event.preventDefault();
  });

  grid.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    const place = Number(cell.dataset.at), again = place === at;
    go(place);
    if (event.target.closest(".tick")) pick();
    else if (again) open();
  });
  for (const button of all(".pick")) button.addEventListener("click", () => pick());
  one("#loupe-open").addEventListener("click", open);
  one("#loupe-close").addEventListener("click", close);
  one("#previous").addEventListener("click", () => go(at - 1));
  one("#next").addEventListener("click", () => go(at + 1));
  one("#copy").addEventListener("click", copy);
  one("#export").addEventListener("click", exported);
  loupe.addEventListener("close", () => { document.body.append(one("#said")); go(at); });
  window.addEventListener("resize", count);

  let from = null;
  one(".view").addEventListener("pointerdown", (event) => { from = event.isPrimary ? event.clientX : null; });
  one(".view").addEventListener("pointerup", (event) => {
    const distance = from === null ? 0 : event.clientX - from;
    from = null;
    if (Math.abs(distance) > 40 && (window.visualViewport?.scale ?? 1) === 1) go(at - Math.sign(distance));
  });
  // Another tab on the same sheet: both show the same picks.
  window.addEventListener("storage", (event) => {
    if (event.key !== key) return;
    picks.clear();
    for (const index of remembered()) picks.add(index);
    cells.forEach((_, place) => mark(place));
    count();
    tell();
  });
})();
