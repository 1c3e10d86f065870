// Mouse and touch in the viewer: wheel and pinch zoom, dragging pans, a swipe shows the next candidate.

const SWIPE_DISTANCE = 48; // css px
const MIN_PINCH_DISTANCE = 8; // css px between two fingers; closer ones give no ratio

export function listenToGestures(viewer) {
  const { area, zoom } = viewer;
  const pointers = new Map(); // id -> {x, y, startX, pane}

  const paneAt = ({ target }) => viewer.panes.find((pane) => pane.element.contains(target));
  const pointIn = (pane, x, y) => {
    const box = pane.element.getBoundingClientRect();
    return { x: x - box.left, y: y - box.top };
  };

  area.addEventListener("wheel", (event) => {
    const pane = paneAt(event);
    if (!pane) return;
    event.preventDefault();
    const ratio = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002));
    zoom.zoomBy(ratio, pane.box(), pane.candidate, pointIn(pane, event.clientX, event.clientY));
    viewer.redraw();
  }, { passive: false });

  area.addEventListener("dblclick", (event) => {
    const pane = paneAt(event);
    if (pane) viewer.toggleZoom(pointIn(pane, event.clientX, event.clientY));
  });

  area.addEventListener("pointerdown", (event) => {
    const pane = paneAt(event);
    if (!pane || event.button > 0) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, startX: event.clientX, pane });
    area.setPointerCapture(event.pointerId);
    const index = viewer.panes.indexOf(pane);
    if (index !== viewer.focusedPane) viewer.focusPane(index);
  });

  area.addEventListener("pointermove", (event) => {
    const pointer = pointers.get(event.pointerId), { clientX, clientY } = event;
    if (!pointer) return;
    const { pane } = pointer;
    if (pointers.size === 2) {
      const [other] = [...pointers.values()].filter((each) => each !== pointer);
      const before = Math.hypot(pointer.x - other.x, pointer.y - other.y);
      const now = Math.hypot(clientX - other.x, clientY - other.y);
      const middle = pointIn(pane, (clientX + other.x) / 2, (clientY + other.y) / 2);
      if (before > MIN_PINCH_DISTANCE) zoom.zoomBy(now / before, pane.box(), pane.candidate, middle);
      pointer.startX = other.startX = NaN; // a pinch is no swipe
    } else {
      zoom.pan(clientX - pointer.x, clientY - pointer.y, pane.box(), pane.candidate);
    }
    pointer.x = clientX;
    pointer.y = clientY;
    viewer.redraw();
  });

  const onPointerEnd = (event) => {
    const pointer = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (!pointer || event.type === "pointercancel" || !zoom.fits || viewer.mode !== "loupe") return;
    const distance = event.clientX - pointer.startX;
    if (Math.abs(distance) > SWIPE_DISTANCE) viewer.moveBy(distance < 0 ? 1 : -1);
  };
  area.addEventListener("pointerup", onPointerEnd);
  area.addEventListener("pointercancel", onPointerEnd);
}
