// Mouse and touch on the grid: a press focuses, a press on the focused cell opens the loupe, a long press selects.

const LONG_PRESS_MS = 500;
const MAX_FINGER_MOVE = 10; // px

export function listenToPointer(sheet, container) {
  const { focus, order, viewer, grid } = sheet;
  let timer = 0, wasLongPress = false, start = null, isTouch = false;

  const cellOf = (event) => event.target.closest?.(".cell");
  const cancelPress = () => { clearTimeout(timer); start = null; };

  container.addEventListener("pointerdown", (event) => {
    const cell = cellOf(event);
    isTouch = event.pointerType !== "mouse";
    wasLongPress = false;
    cancelPress();
    if (!cell || !isTouch || !event.isPrimary) return;
    start = [event.clientX, event.clientY];
    timer = setTimeout(() => { wasLongPress = true; focus.toggleSelected(cell.number); }, LONG_PRESS_MS);
  });
  container.addEventListener("pointermove", (event) => {
    if (start && Math.hypot(event.clientX - start[0], event.clientY - start[1]) > MAX_FINGER_MOVE) cancelPress();
  });
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) container.addEventListener(kind, cancelPress);
  container.addEventListener("contextmenu", (event) => { if (isTouch) event.preventDefault(); });
  // Shift+click selects no text.
  container.addEventListener("mousedown", (event) => { if (event.shiftKey) event.preventDefault(); });

  container.addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (wasLongPress) { wasLongPress = false; return; }
    if (!cell) return;
    grid.focus();
    const { number } = cell, wasFocused = number === sheet.focused && !sheet.selection.size;
    if (event.ctrlKey || event.metaKey || (isTouch && sheet.selection.size)) focus.toggleSelected(number);
    else if (event.shiftKey) focus.extendSelection(order.indexOf(number));
    else {
      focus.moveTo(number);
      if (wasFocused) viewer.toggleLoupe();
    }
  });

  // A button pressed by mouse or touch does not keep the keyboard focus.
  document.addEventListener("click", (event) => {
    const isToolButton = event.detail > 0 && event.target.closest("header button, footer button");
    if (isToolButton && !sheet.dialogs.openDialog) sheet.restoreKeyboardFocus();
  });
}
