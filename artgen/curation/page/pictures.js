// Thumbnails as image elements, one for each candidate, the last few hundred of them: a cell never shows the
// picture of the candidate that was there before, and going back a screen decodes nothing.

export class Pictures {
  #images = new Map(); // number -> image, the one used last at the end

  constructor(link, most = 500) {
    this.link = link;
    this.most = most;
  }

  /** Whether it was asked for already. */
  has(number) {
    return this.#images.has(number);
  }

  take(number) {
    let image = this.#images.get(number);
    this.#images.delete(number);
    if (!image) {
      image = new Image();
      image.alt = "";
      image.decoding = "async";
      image.draggable = false;
      image.onerror = () => {
        this.#images.delete(number); // asked for again when it is next shown
        image.remove(); // an empty frame, not the browser's sign for a broken one
      };
      image.src = this.link.thumb(number);
    }
    this.#images.set(number, image);
    if (this.#images.size > this.most) this.#forget();
    return image;
  }

  /** It left the screen: what has not come by then need not come. */
  release(number) {
    const image = this.#images.get(number);
    if (!image || image.complete) return;
    this.#images.delete(number);
    image.onerror = null;
    image.removeAttribute("src");
  }

  #forget() {
    for (const [number, image] of this.#images) {
      if (image.isConnected) continue;
      this.#images.delete(number);
      return;
    }
  }
}
