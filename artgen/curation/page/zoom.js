// One zoom for every picture on view: how large, and which place of them is in the middle.

const LARGEST = 8; // device px for a px of the picture

export class Zoom {
  constructor() {
    this.reset();
  }

  reset() {
    this.factor = 1; // of the size that just fits; 0: one px of the picture is one of the screen
    this.u = 0.5; // the place in the middle, 0 to 1 from the left and from the top
    this.v = 0.5;
  }

  get fits() {
    return this.factor === 1;
  }

  // CSS px for a px of the picture, in a box of css px.
  scale(box, picture) {
    if (this.factor === 0) return 1 / devicePixelRatio;
    return Math.min(box.width / picture.width, box.height / picture.height) * this.factor;
  }

  // Where the picture lies in the box; a side that is larger than the box leaves no gap at either end.
  place(box, picture) {
    const scale = this.scale(box, picture);
    const along = (room, side, middle) => {
      const length = side * scale;
      if (length <= room) return (room - length) / 2;
      return Math.min(0, Math.max(room - length, room / 2 - middle * length));
    };
    return {
      scale,
      x: along(box.width, picture.width, this.u),
      y: along(box.height, picture.height, this.v),
    };
  }

  // To 100 %, or back to the whole picture; `at` (css px in the box) stays where it is.
  toggle(box, picture, at) {
    if (!this.fits) return this.reset();
    const under = this.#under(box, picture, at);
    this.factor = 0;
    this.#hold(box, picture, at, under);
  }

  // `ratio` times larger around `at`; never smaller than the whole picture.
  by(ratio, box, picture, at) {
    const under = this.#under(box, picture, at);
    const fitting = Math.min(box.width / picture.width, box.height / picture.height);
    const largest = Math.max(1, LARGEST / devicePixelRatio / fitting);
    this.factor = Math.min(largest, Math.max(1, (this.scale(box, picture) * ratio) / fitting));
    this.#hold(box, picture, at, under);
  }

  pan(dx, dy, box, picture) {
    const { scale, x, y } = this.place(box, picture);
    this.#middle(box, picture, scale, x + dx, y + dy);
  }

  #under(box, picture, at) {
    const { scale, x, y } = this.place(box, picture);
    return { x: (at.x - x) / scale, y: (at.y - y) / scale };
  }

  #hold(box, picture, at, under) {
    const scale = this.scale(box, picture);
    this.#middle(box, picture, scale, at.x - under.x * scale, at.y - under.y * scale);
  }

  // Keeps what can be reached, so that pushing against an edge adds nothing up.
  #middle(box, picture, scale, x, y) {
    const along = (room, length, from) => {
      if (length <= room) return 0.5;
      return (room / 2 - Math.min(0, Math.max(room - length, from))) / length;
    };
    this.u = along(box.width, picture.width * scale, x);
    this.v = along(box.height, picture.height * scale, y);
  }
}
