"use strict";
// A work too large for any window, by its tiles. OpenSeadragon is loaded when it is first asked for; what it
// must know of the tiles is in the page, because a page opened from a disk may fetch nothing.
(() => {
  const link = document.querySelector(".open");
  const root = document.documentElement.dataset.root;
  const tiles = JSON.parse(link.dataset.zoom);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const title = document.querySelector("h1 cite").textContent;
  let ready = null;
  const prepare = () => ready ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${root}assets/openseadragon/openseadragon.min.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error("not loaded"));
    document.head.append(script);
  });

  const button = (text, name, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    if (name !== text) made.setAttribute("aria-label", name);
    made.addEventListener("click", act);
    return made;
  };

  const open = (from) => {
    const dialog = document.createElement("dialog");
    dialog.className = "zoom";
    dialog.setAttribute("aria-label", `${title}, enlarged`);
    const view = dialog.appendChild(document.createElement("div"));
    view.className = "view";
    const words = dialog.appendChild(document.createElement("p"));
    words.className = "words";
    words.dir = "auto";
    words.textContent = title;
    document.body.append(dialog);
    dialog.showModal();
    const duration = still.matches ? 0 : 0.2;
    const viewer = globalThis.OpenSeadragon({
      element: view,
      // Pictures from a disk may be drawn, but not handed to the graphics card.
      drawer: "canvas",
      showNavigationControl: false,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      animationTime: duration,
      springStiffness: 10,
      blendTime: duration,
      maxZoomPixelRatio: 2,
      visibilityRatio: 0.6,
      minZoomImageRatio: 0.9,
      tileSources: {
        width: tiles.width,
        height: tiles.height,
        tileSize: tiles.tile,
        tileOverlap: tiles.overlap,
        getTileUrl: (level, column, row) => `${tiles.folder}/${level}/${column}_${row}.jpg`,
      },
    });
    const by = (factor) => () => { viewer.viewport.zoomBy(factor).applyConstraints(); };
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(
      button("−", "Zoom out", by(1 / 1.6)),
      button("+", "Zoom in", by(1.6)),
      button("Close", "Close", () => dialog.close()),
    );
    dialog.append(tools);
    viewer.canvas.setAttribute("role", "application");
    viewer.canvas.setAttribute("aria-label", "The picture. Arrow keys move it, plus and minus zoom.");
    viewer.canvas.focus();
    dialog.addEventListener("close", () => {
      viewer.destroy();
      dialog.remove();
      from.focus({ preventScroll: true });
    });
  };

  for (const opener of [link, document.querySelector(".closer")]) {
    opener.setAttribute("aria-haspopup", "dialog");
    opener.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      try {
        await prepare();
        open(opener);
      } catch {
        location.href = opener.href;
      }
    });
  }
  link.addEventListener("pointerenter", () => { prepare().catch(() => {}); }, { once: true });
})();
