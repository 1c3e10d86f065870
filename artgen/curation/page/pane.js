// One picture on view: its preview at once, the whole of it when more px are wanted than the preview has.

export class Pane {
  constructor(link, zoom) {
    this.link = link;
    this.zoom = zoom;
    this.element = document.createElement("figure");
    this.element.className = "pane";
    this.preview = this.#image("preview");
    this.whole = this.#image("whole");
    this.sign = document.createElement("span");
    this.sign.className = "pane-sign";
    this.sign.setAttribute("aria-hidden", "true");
    this.words = document.createElement("figcaption");
    this.element.append(this.preview, this.whole, this.sign, this.words);
    this.asked = "";
  }

  #image(name) {
    const image = document.createElement("img");
    image.className = name;
    image.alt = "";
    image.draggable = false;
    image.decoding = "async";
    image.addEventListener("error", () => image.classList.add("missing"));
    image.addEventListener("load", () => image.classList.remove("missing"));
    return image;
  }

  show(candidate, labelled) {
    this.element.classList.toggle("labelled", labelled);
    this.marked(candidate);
    if (this.candidate && this.candidate.number === candidate.number) {
      this.candidate = candidate;
      return this.lay();
    }
    this.candidate = candidate;
    this.asked = "";
    this.whole.hidden = true;
    this.whole.removeAttribute("src");
    this.preview.alt = candidate.alt || `${candidate.number}: ${candidate.caption}`;
    this.lay();
    this.#swap(this.preview, previewOf(this.link, candidate), this.link.thumb(candidate.number));
  }

  // State is never told by how it looks alone: it is in the caption's words as well.
  marked(candidate) {
    const { number, mark, stars } = candidate;
    this.element.classList.toggle("kept", mark === "kept");
    this.element.classList.toggle("rejected", mark === "rejected");
    const parts = [String(number), mark || "", stars ? "★".repeat(stars) : ""], title = document.createElement("bdi");
    title.textContent = candidate.title;
    this.words.replaceChildren(parts.filter(Boolean).join("  ") + (candidate.title ? "  " : ""), title);
  }

  box() {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  // Cheap enough for every frame of a drag: two transforms, no layout but the box's size.
  lay() {
    const { candidate } = this;
    const box = this.box();
    if (!candidate || !box.width) return;
    const { scale, x, y } = this.zoom.place(box, candidate);
    for (const image of [this.preview, this.whole]) {
      image.style.width = `${candidate.width}px`;
      image.style.height = `${candidate.height}px`;
      image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    }
    this.whole.style.imageRendering = scale * devicePixelRatio >= 2 ? "pixelated" : "auto";
    const right = Math.max(0, box.width - x - candidate.width * scale);
    this.sign.style.transform = `translate(${-right}px, ${Math.max(0, y)}px)`;
    const had = Math.min(1, 1024 / Math.max(candidate.width, candidate.height));
    if (scale * devicePixelRatio > had * 1.15) this.#more();
  }

  async #more() {
    const { candidate } = this;
    const source = this.link.picture(candidate.number);
    if (!source || this.asked === source) return;
    this.asked = source;
    const loading = new Image();
    loading.src = source;
    try {
      await loading.decode();
    } catch {
      return; // the preview stays
    }
    if (this.candidate !== candidate && this.candidate.number !== candidate.number) return;
    this.whole.src = source;
    await this.whole.decode().catch(() => {});
    if (this.candidate.number === candidate.number) this.whole.hidden = false;
  }

  // The old picture never stands under the new one's name: the thumbnail, which is there, bridges.
  #swap(image, source, meanwhile) {
    image.src = meanwhile;
    if (source === meanwhile) return;
    const loading = new Image();
    const { number } = this.candidate;
    loading.src = source;
    loading.decode().then(
      () => {
        if (this.candidate.number === number) image.src = source;
      },
      () => {},
    );
  }
}

export function previewOf(link, candidate) {
  const last = candidate.stages.length - 1;
  return (last >= 0 && link.stage(candidate.number, last)) || link.thumb(candidate.number);
}
