"use strict";
// A deep zoom into a piece larger than the window. OpenSeadragon is loaded when it is first needed; the
// description of the tiles is in the page, because a page opened from disk may not fetch anything.
(() => {
  const link = document.querySelector(".open");
  const root = document.documentElement.dataset.root;
  const tiles = JSON.parse(link.dataset.zoom);
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  const title = document.querySelector("h1 cite").textContent;
  let loading = null;
  const loadViewer = () => loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${root}assets/openseadragon/openseadragon.min.js`;
    script.onload = resolve;
    script.onerror = () => reject(new Error("not loaded"));
    document.head.append(script);
  });

  const button = (text, name, act) => {
    const element = document.createElement("button");
    element.type = "button";
    element.textContent = text;
    if (name !== text) element.setAttribute("aria-label", name);
    element.addEventListener("click", act);
    return element;
  };

  const open = (opener) => {
    const dialog = document.createElement("dialog");
    dialog.className = "zoom";
    dialog.setAttribute("aria-label", `${title}, enlarged`);
    const view = dialog.appendChild(document.createElement("div"));
    view.className = "view";
    const caption = dialog.appendChild(document.createElement("p"));
    caption.className = "words";
    caption.dir = "auto";
    caption.textContent = title;
    document.body.append(dialog);
    dialog.showModal();
    const duration = reducedMotion.matches ? 0 : 0.2;
    const viewer = globalThis.OpenSeadragon({
      element: view,
      // WebGL may not use pictures from disk.
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
    const zoomBy = (factor) => () => { viewer.viewport.zoomBy(factor).applyConstraints(); };
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(
      button("−", "Zoom out", zoomBy(1 / 1.6)),
      button("+", "Zoom in", zoomBy(1.6)),
      button("Close", "Close", () => dialog.close()),
    );
    dialog.append(tools);
    viewer.canvas.setAttribute("role", "application");
    viewer.canvas.setAttribute("aria-label", "The picture. Arrow keys move it, plus and minus zoom.");
    viewer.canvas.focus();
    dialog.addEventListener("close", () => {
      viewer.destroy();
      dialog.remove();
      opener.focus({ preventScroll: true });
    });
  };

  for (const opener of [link, document.querySelector(".closer")]) {
    opener.setAttribute("aria-haspopup", "dialog");
    opener.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      try {
        await loadViewer();
        open(opener);
      } catch {
        location.href = opener.href;
      }
    });
  }
  link.addEventListener("pointerenter", () => { loadViewer().catch(() => {}); }, { once: true });
})();
