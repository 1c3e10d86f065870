// A cache of thumbnail elements, one for each candidate: a cell never shows the picture of the candidate before
// it, and scrolling back decodes nothing.
import { createElement } from "../dom.js";

const MAX_IMAGES = 500;

export class ThumbnailCache {
  #images = new Map(); // number -> image, the last used at the end

  constructor(api) {
    this.api = api;
  }

  /** Whether it was requested already. */
  has(number) {
    return this.#images.has(number);
  }

  get(number) {
    const image = this.#images.get(number) ?? this.#load(number);
    this.#images.delete(number);
    this.#images.set(number, image);
    if (this.#images.size > MAX_IMAGES) this.#evict();
    return image;
  }

  /** It left the screen: cancel it if it is still loading. */
  release(number) {
    const image = this.#images.get(number);
    if (!image || image.complete) return;
    this.#images.delete(number);
    image.onerror = null;
    image.removeAttribute("src");
  }

  #load(number) {
    const image = createElement("img", { alt: "", decoding: "async", draggable: "false" });
    image.onerror = () => {
      this.#images.delete(number); // requested again when it is next shown
      image.remove(); // an empty frame instead of the browser's broken image
    };
    image.src = this.api.thumbnailUrl(number);
    return image;
  }

  #evict() {
    for (const [number, image] of this.#images) {
      if (image.isConnected) continue;
      this.#images.delete(number);
      return;
    }
  }
}
