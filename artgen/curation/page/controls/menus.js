// The menus of filters, sorts and all other actions, by keyboard, mouse and touch.
import { plural } from "../data/format.js";
import { FILTERS, SORTS } from "../data/order.js";
import { createElement, hasModifier } from "../dom.js";
import { requestVariations } from "./variations.js";

const MARGIN = 4; // px between a menu and the edge of the window

export class Menus {
  #dialog = document.getElementById("menu");
  #list = this.#dialog.querySelector("[role=menu]");
  #items = [];

  constructor(sheet) {
    this.sheet = sheet;
    this.#dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.#dialog.addEventListener("click", (event) => {
      const row = event.target.closest("[role^=menuitem]");
      if (row) this.#choose(row);
      else this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => this.opener?.setAttribute("aria-expanded", "false"));
  }

  openFilters(opener) {
    const { order, filters } = this.sheet;
    this.#open(opener, "Filter", Object.keys(FILTERS).map((name) => ({
      label: FILTERS[name].label,
      key: /^stars/.test(name) ? name.slice(-1) : "",
      isChecked: order.filter === name,
      isHidden: name === "proposed" && !order.proposed.size,
      act: () => filters.setFilter(name),
    })));
  }

  openSorts(opener) {
    const { order, filters, focused, api } = this.sheet;
    this.#open(opener, "Sort", Object.keys(SORTS).map((name) => ({
      label: name === "like" ? "More like " + (filters.similarTo ?? focused ?? "this") : SORTS[name].label,
      key: name === "like" ? "S" : "",
      isChecked: order.sort === name,
      isHidden: name === "diverse"
        ? !api.supports.order : !api.supports.server && (name === "taste" || name === "like"),
      act: () => (order.sort === "like" && name === "like" ? null : filters.setSort(name)),
    })));
  }

  openMore(opener) {
    const { sheet } = this, { viewer, decisions, filters, dialogs, focus, grid } = sheet;
    const { server, groups } = sheet.api.supports;
    const stars = [5, 4, 3, 2, 1, 0].map((count) => ({
      label: count ? "\u2605".repeat(count) : "No stars",
      ariaLabel: count ? plural(count, "star") : "No stars",
      key: String(count),
      act: () => decisions.setStars(count),
    }));
    this.#open(opener, "More", [
      { label: "Survey up to nine", key: "N", act: () => viewer.toggleSurvey() },
      { label: "100 %", key: "Z", act: () => viewer.toggleZoom() },
      ...stars,
      { label: "Keep this, reject the others shown", key: "Shift+P", isHidden: !viewer.isSideBySide,
        act: () => decisions.keepOnly() },
      { label: "More like this", key: "S", isHidden: !server, act: () => filters.toggleSimilar() },
      { label: "Variations of this", key: "V", isHidden: !server, act: () => requestVariations(sheet) },
      { label: sheet.order.isFolding ? "Unfold near-duplicates" : "Fold near-duplicates", key: "G",
        isHidden: !groups, act: () => filters.toggleFolding() },
      { label: "Title and alt text", key: "T", act: () => dialogs.openTexts() },
      { label: "Recipe, seed, draws, stages", key: "I", act: () => dialogs.openInfo() },
      { label: "Next round", key: "Shift+R", act: () => dialogs.openNextRound() },
      { label: sheet.selection.has(sheet.focused) ? "Deselect this" : "Select this", key: "Ctrl+Space",
        act: () => focus.toggleSelected(sheet.focused) },
      { label: "Select all shown", key: "Ctrl+A", act: () => focus.selectAll() },
      { label: "Larger thumbnails", key: "+", act: () => grid.resize(1) },
      { label: "Smaller thumbnails", key: "\u2212", act: () => grid.resize(-1) },
    ]);
  }

  #open(opener, name, items) {
    this.opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#dialog.setAttribute("aria-label", name);
    this.#list.setAttribute("aria-label", name);
    this.#items = items.filter((item) => !item.isHidden);
    this.#list.replaceChildren(...this.#items.map(createRow));
    this.sheet.dialogs.show(this.#dialog);
    const box = opener.getBoundingClientRect(), { offsetWidth, offsetHeight, style } = this.#dialog;
    style.left = Math.max(MARGIN, Math.min(box.left, window.innerWidth - offsetWidth - MARGIN)) + "px";
    const fitsBelow = box.bottom + offsetHeight < window.innerHeight;
    style.top = (fitsBelow ? box.bottom : Math.max(MARGIN, box.top - offsetHeight)) + "px";
    (this.#list.querySelector("[aria-checked=true]") ?? this.#list.firstChild).focus();
  }

  #choose(row) {
    const item = this.#items[[...this.#list.children].indexOf(row)];
    this.#dialog.close();
    item.act();
  }

  #onKey(event) {
    if (hasModifier(event)) return;
    const rows = [...this.#list.children], index = rows.indexOf(document.activeElement), last = rows.length - 1;
    const next = index + 1 > last ? 0 : index + 1, previous = index < 1 ? last : index - 1;
    const targets = {
      ArrowDown: next, j: next, ArrowUp: previous, k: previous, Home: 0, End: last, PageUp: 0, PageDown: last,
    };
    if (event.key in targets) rows[targets[event.key]].focus();
    else if (event.key === "Enter" || event.key === " ") { if (index >= 0) this.#choose(rows[index]); }
    else if (event.key === "Tab" || event.key === "f" || event.key === "o") this.#dialog.close();
    else {
      const chosen = this.#items.findIndex(({ key }) => key && key === event.key.toUpperCase());
      if (chosen < 0) return;
      this.#choose(rows[chosen]);
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

function createRow({ label, ariaLabel, key, isChecked }) {
  const attributes = {
    role: isChecked === undefined ? "menuitem" : "menuitemradio",
    "aria-checked": isChecked,
    "aria-label": ariaLabel,
    tabindex: "-1",
  };
  return createElement("div", attributes,
    createElement("span", {}, label), createElement("kbd", { "aria-hidden": "true" }, key));
}
