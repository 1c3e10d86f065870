// The actions of this page, so that undo can be shown before the server has answered. No DOM.

export class UndoHistory {
  #done = []; // [rows before, rows after]
  #undone = [];

  push(before, after) {
    this.#done.push([before, after]);
    this.#undone = [];
  }

  /** Another page decided: what the server would undo is not known here. */
  clear() {
    this.#done = [];
    this.#undone = [];
  }

  /** The rows that undoing restores; none where that is not known. */
  undo() {
    const pair = this.#done.pop();
    if (pair) this.#undone.push(pair);
    return pair ? pair[0] : [];
  }

  redo() {
    const pair = this.#undone.pop();
    if (pair) this.#done.push(pair);
    return pair ? pair[1] : [];
  }
}
