// One candidate in the viewer: its preview at once, the full image when more pixels are needed than the preview has.
import { createElement } from "../dom.js";

const PREVIEW_SIDE = 1024; // px, the longer one
const MAX_ENLARGED = 1.15; // the preview is shown enlarged up to this ratio

export class Pane {
  constructor(api, zoom) {
    this.api = api;
    this.zoom = zoom;
    this.preview = createImage("preview");
    this.full = createImage("full");
    this.mark = createElement("span", { class: "pane-mark", "aria-hidden": "true" });
    this.caption = createElement("figcaption");
    this.element = createElement("figure", { class: "pane" }, this.preview, this.full, this.mark, this.caption);
    this.requestedUrl = "";
  }

  show(candidate, isLabelled) {
    this.element.classList.toggle("labelled", isLabelled);
    this.updateLabel(candidate);
    const isSame = this.candidate?.number === candidate.number;
    this.candidate = candidate;
    if (isSame) return this.layOut();
    this.requestedUrl = "";
    this.full.hidden = true;
    this.full.removeAttribute("src");
    this.preview.alt = candidate.alt || `${candidate.number}: ${candidate.caption}`;
    this.layOut();
    // The thumbnail is there already: the picture of the candidate before never has this one's caption.
    const thumbnail = this.api.thumbnailUrl(candidate.number), preview = previewUrl(this.api, candidate);
    this.preview.src = thumbnail;
    if (preview !== thumbnail) this.#load(preview, this.preview);
  }

  /** Show the state of the candidate, by its look and in the words of the caption. */
  updateLabel({ number, mark, stars, title }) {
    this.element.classList.toggle("kept", mark === "kept");
    this.element.classList.toggle("rejected", mark === "rejected");
    const text = [String(number), mark, "★".repeat(stars)].filter(Boolean).join("  ");
    this.caption.replaceChildren(text + (title ? "  " : ""), createElement("bdi", {}, title));
  }

  box() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  middle() {
    const { width, height } = this.box();
    return { x: width / 2, y: height / 2 };
  }

  /** Place the picture as the zoom says. Cheap enough for every frame of a drag: transforms, no layout. */
  layOut() {
    const { candidate } = this, box = this.box();
    if (!candidate || !box.width) return;
    const { scale, x, y } = this.zoom.place(box, candidate);
    for (const image of [this.preview, this.full]) {
      image.style.width = `${candidate.width}px`;
      image.style.height = `${candidate.height}px`;
      image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    }
    this.full.style.imageRendering = scale * devicePixelRatio >= 2 ? "pixelated" : "auto";
    const right = Math.max(0, box.width - x - candidate.width * scale);
    this.mark.style.transform = `translate(${-right}px, ${Math.max(0, y)}px)`;
    const previewScale = Math.min(1, PREVIEW_SIDE / Math.max(candidate.width, candidate.height));
    if (scale * devicePixelRatio > previewScale * MAX_ENLARGED) this.#loadFull();
  }

  async #loadFull() {
    const { number } = this.candidate, url = this.api.imageUrl(number);
    if (!url || this.requestedUrl === url) return;
    this.requestedUrl = url;
    if (!(await this.#load(url, this.full))) return;
    await this.full.decode().catch(() => {});
    if (this.candidate.number === number) this.full.hidden = false;
  }

  /** Decode an image and then show it; returns false where that fails or another candidate is shown by then. */
  async #load(url, image) {
    const { number } = this.candidate, loader = createElement("img", { src: url });
    try {
      await loader.decode();
    } catch {
      return false;
    }
    if (this.candidate.number !== number) return false;
    image.src = url;
    return true;
  }
}

/** The largest image of a candidate below the full one. */
export function previewUrl(api, candidate) {
  const last = candidate.stages.length - 1;
  return (last >= 0 && api.stageUrl(candidate.number, last)) || api.thumbnailUrl(candidate.number);
}

function createImage(name) {
  const image = createElement("img", { class: name, alt: "", decoding: "async", draggable: "false" });
  image.addEventListener("error", () => image.classList.add("missing"));
  image.addEventListener("load", () => image.classList.remove("missing"));
  return image;
}
