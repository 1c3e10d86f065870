// Menus: of filters, of sorts, and of everything else that can be done. By keys, mouse and touch.
import { FILTERS, SORTS } from "./places.js";

export class Menus {
  #dialog = document.getElementById("menu");
  #list = this.#dialog.querySelector("[role=menu]");
  #items = [];

  constructor(desk) {
    this.desk = desk;
    this.#dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#dialog.addEventListener("click", (event) => {
      const item = event.target.closest("[role^=menuitem]");
      if (item) this.#choose(item);
      else this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => this.opener?.setAttribute("aria-expanded", "false"));
  }

  filter(opener) {
    const { desk } = this;
    this.#open(opener, "Filter", Object.keys(FILTERS).map((name) => ({
      words: FILTERS[name].words,
      key: /^stars/.test(name) ? name.slice(-1) : "",
      checked: desk.places.filter === name,
      hidden: name === "proposed" && !desk.places.proposed.size,
      act: () => desk.arranging.filter(name),
    })));
  }

  sort(opener) {
    const { desk } = this;
    this.#open(opener, "Sort", Object.keys(SORTS).map((name) => ({
      words: name === "like" ? "More like " + (desk.arranging.likeOf ?? desk.focus ?? "this") : SORTS[name],
      key: name === "like" ? "S" : "",
      checked: desk.places.sort === name,
      hidden: name === "diverse" ? !desk.link.can.order : !desk.link.can.server && (name === "taste" || name === "like"),
      act: () => (desk.places.sort === "like" && name === "like" ? null : desk.arranging.sort(name)),
    })));
  }

  more(opener) {
    const { desk } = this, { server } = desk.link.can;
    const stars = [5, 4, 3, 2, 1, 0].map((count) => ({
      words: count ? "\u2605".repeat(count) : "No stars",
      name: count ? count + (count === 1 ? " star" : " stars") : "No stars",
      key: String(count),
      act: () => desk.deciding.stars(count),
    }));
    this.#open(opener, "More", [
      { words: "Survey up to nine", key: "N", act: () => desk.looking.survey() },
      { words: "100 %", key: "Z", act: () => desk.looking.zoom() },
      ...stars,
      { words: "Keep it, reject the others on view", key: "Shift+P", hidden: !desk.looking.several,
        act: () => desk.deciding.keepOnly() },
      { words: "More like this", key: "S", hidden: !server, act: () => desk.arranging.like() },
      { words: "Variations of this", key: "V", hidden: !server, act: () => desk.arranging.vary() },
      { words: desk.places.folding ? "Unfold near-duplicates" : "Fold near-duplicates", key: "G",
        hidden: !desk.link.can.groups, act: () => desk.arranging.fold() },
      { words: "Title and alt text", key: "T", act: () => desk.dialogs.describe() },
      { words: "Recipe, seed, draws, stages", key: "I", act: () => desk.dialogs.info() },
      { words: "Next round", key: "Shift+R", act: () => desk.dialogs.round() },
      { words: desk.selection.has(desk.focus) ? "Deselect this" : "Select this", key: "Ctrl+Space",
        act: () => desk.moving.toggle(desk.focus) },
      { words: "Select all that is shown", key: "Ctrl+A", act: () => desk.moving.selectAll() },
      { words: "Larger thumbnails", key: "+", act: () => desk.grid.resize(1) },
      { words: "Smaller thumbnails", key: "\u2212", act: () => desk.grid.resize(-1) },
    ]);
  }

  #open(opener, name, items) {
    this.opener = opener;
    opener.setAttribute("aria-expanded", "true");
    this.#dialog.setAttribute("aria-label", name);
    this.#list.setAttribute("aria-label", name);
    this.#items = items.filter((item) => !item.hidden);
    this.#list.replaceChildren(...this.#items.map((item) => this.#row(item)));
    this.desk.dialogs.show(this.#dialog);
    const box = opener.getBoundingClientRect(), { offsetWidth, offsetHeight } = this.#dialog;
    this.#dialog.style.left = Math.max(4, Math.min(box.left, window.innerWidth - offsetWidth - 4)) + "px";
    const below = box.bottom + offsetHeight < window.innerHeight;
    this.#dialog.style.top = (below ? box.bottom : Math.max(4, box.top - offsetHeight)) + "px";
    (this.#list.querySelector("[aria-checked=true]") ?? this.#list.firstChild).focus();
  }

  #row({ words, name, key, checked }) {
    const row = document.createElement("div"), mark = document.createElement("kbd"), text = document.createElement("span");
    row.setAttribute("role", checked === undefined ? "menuitem" : "menuitemradio");
    if (checked !== undefined) row.setAttribute("aria-checked", String(checked));
    if (name) row.setAttribute("aria-label", name);
    row.tabIndex = -1;
    text.textContent = words;
    mark.textContent = key;
    mark.setAttribute("aria-hidden", "true");
    row.append(text, mark);
    return row;
  }

  #choose(row) {
    const item = this.#items[[...this.#list.children].indexOf(row)];
    this.#dialog.close();
    item.act();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...this.#list.children], at = rows.indexOf(document.activeElement), last = rows.length - 1;
    const places = {
      ArrowDown: at + 1 > last ? 0 : at + 1, j: at + 1 > last ? 0 : at + 1,
      ArrowUp: at < 1 ? last : at - 1, k: at < 1 ? last : at - 1,
      Home: 0, End: last, PageUp: 0, PageDown: last,
    };
    if (event.key in places) rows[places[event.key]].focus();
    else if (event.key === "Enter" || event.key === " ") { if (at >= 0) this.#choose(rows[at]); }
    else if (event.key === "Tab" || event.key === "f" || event.key === "o") this.#dialog.close();
    else {
      const keyed = this.#items.findIndex(({ key }) => key && key === event.key.toUpperCase());
      if (keyed < 0) return;
      this.#choose(rows[keyed]);
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
