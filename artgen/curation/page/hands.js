// Mouse and touch on the sheet: a press focuses, on what is focused opens the loupe, a long one selects.

const LONG = 500; // ms
const STILL = 10; // px that a finger may wander

export function listenToHands(desk, plane) {
  const { moving, places, looking, grid } = desk;
  let timer = 0, held = false, from = null, touched = false;

  const cellOf = (event) => event.target.closest?.(".cell");
  const drop = () => { clearTimeout(timer); from = null; };

  plane.addEventListener("pointerdown", (event) => {
    const cell = cellOf(event);
    touched = event.pointerType !== "mouse";
    held = false;
    drop();
    if (!cell || !touched || !event.isPrimary) return;
    from = [event.clientX, event.clientY];
    timer = setTimeout(() => { held = true; moving.toggle(cell.number); }, LONG);
  });
  plane.addEventListener("pointermove", (event) => {
    if (from && Math.hypot(event.clientX - from[0], event.clientY - from[1]) > STILL) drop();
  });
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) plane.addEventListener(kind, drop);
  plane.addEventListener("contextmenu", (event) => { if (touched) event.preventDefault(); });
  plane.addEventListener("mousedown", (event) => { if (event.shiftKey) event.preventDefault(); }); // selects no text

  plane.addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (held) { held = false; return; }
    if (!cell) return;
    grid.take();
    const { number } = cell, again = number === desk.focus && !desk.selection.size;
    if (event.ctrlKey || event.metaKey || (touched && desk.selection.size)) moving.toggle(number);
    else if (event.shiftKey) moving.extendTo(places.at(number));
    else {
      moving.go(number);
      if (again) looking.loupe();
    }
  });

  // A button pressed by mouse or finger does not keep the keys from the sheet.
  document.addEventListener("click", (event) => {
    if (event.detail > 0 && event.target.closest("header button, footer button") && !desk.dialogs.open) desk.back();
  });
}
