// One zoom for every picture on view: how large they are, and which point of them is in the middle.

const MAX_SCALE = 8; // device px for a px of the picture

export class Zoom {
  constructor() {
    this.reset();
  }

  reset() {
    this.factor = 1; // of the size that just fits; 0: one px of the picture is one of the screen
    this.u = 0.5; // the point in the middle, 0 to 1 from the left and from the top
    this.v = 0.5;
  }

  get fits() {
    return this.factor === 1;
  }

  /** CSS px for a px of the picture, in a box of css px. */
  scale(box, picture) {
    return this.factor === 0 ? 1 / devicePixelRatio : this.#fittingScale(box, picture) * this.factor;
  }

  /** Where the picture is in the box; a side that is larger than the box leaves no gap at either end. */
  place(box, picture) {
    const scale = this.scale(box, picture);
    const offset = (available, side, middle) => {
      const length = side * scale;
      if (length <= available) return (available - length) / 2;
      return Math.min(0, Math.max(available - length, available / 2 - middle * length));
    };
    return {
      scale,
      x: offset(box.width, picture.width, this.u),
      y: offset(box.height, picture.height, this.v),
    };
  }

  /** To 100 %, or back to the whole picture; `point` (css px in the box) stays where it is. */
  toggle(box, picture, point) {
    if (!this.fits) return this.reset();
    const fixed = this.#picturePoint(box, picture, point);
    this.factor = 0;
    this.#hold(box, picture, point, fixed);
  }

  /** Make it `ratio` times larger around `point`; never smaller than the whole picture. */
  zoomBy(ratio, box, picture, point) {
    const fixed = this.#picturePoint(box, picture, point), fitting = this.#fittingScale(box, picture);
    const maxFactor = Math.max(1, MAX_SCALE / devicePixelRatio / fitting);
    this.factor = Math.min(maxFactor, Math.max(1, (this.scale(box, picture) * ratio) / fitting));
    this.#hold(box, picture, point, fixed);
  }

  pan(dx, dy, box, picture) {
    const { scale, x, y } = this.place(box, picture);
    this.#setMiddle(box, picture, scale, x + dx, y + dy);
  }

  #fittingScale(box, picture) {
    return Math.min(box.width / picture.width, box.height / picture.height);
  }

  /** The point of the picture, in its px, that is at a point of the box. */
  #picturePoint(box, picture, point) {
    const { scale, x, y } = this.place(box, picture);
    return { x: (point.x - x) / scale, y: (point.y - y) / scale };
  }

  #hold(box, picture, point, fixed) {
    const scale = this.scale(box, picture);
    this.#setMiddle(box, picture, scale, point.x - fixed.x * scale, point.y - fixed.y * scale);
  }

  /** Keep only what can be reached, so that pushing against an edge does not add up. */
  #setMiddle(box, picture, scale, x, y) {
    const middle = (available, length, offset) => {
      if (length <= available) return 0.5;
      return (available / 2 - Math.min(0, Math.max(available - length, offset))) / length;
    };
    this.u = middle(box.width, picture.width * scale, x);
    this.v = middle(box.height, picture.height * scale, y);
  }
}
