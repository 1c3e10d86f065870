"use strict";
// Everything here is a convenience: each page is whole without it.
(() => {
  const root = document.documentElement;

  // Theme. What the visitor chose holds on every page until they choose what the page would show anyway.
  const given = root.dataset.theme;
  const grounds = { light: "#faf9f6", dark: "#121212" };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const shown = () => root.dataset.theme ?? (system.matches ? "dark" : "light");
  const colour = () => {
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.content = grounds[shown()];
  };
  if (given) colour();
  document.querySelector(".theme")?.addEventListener("click", () => {
    const wanted = shown() === "dark" ? "light" : "dark";
    root.dataset.theme = wanted;
    colour();
    try { localStorage.setItem("artgen-theme", wanted); } catch { /* for this page only, then */ }
  });

  // Previous and next by key and swipe.
  const go = (rel) => {
    const link = document.querySelector(`a[rel="${rel}"]`);
    if (link) location.href = link.href;
  };
  const busy = () => document.querySelector("dialog[open], .pswp");
  const follow = { ArrowLeft: "prev", ArrowRight: "next" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !follow[event.key] || busy()) return;
    // There the arrows scroll, move or slide.
    if (event.target.closest("pre, input, textarea, video")) return;
    go(follow[event.key]);
  });
  let start = null;
  document.addEventListener("touchstart", (event) => {
    const still = event.touches.length === 1 && (visualViewport?.scale ?? 1) < 1.05 && !busy();
    start = still && !event.target.closest("pre, input, video") ? event.touches[0] : null;
  }, { passive: true });
  document.addEventListener("touchend", (event) => {
    if (!start || event.touches.length) return;
    const across = event.changedTouches[0].clientX - start.clientX;
    const down = event.changedTouches[0].clientY - start.clientY;
    start = null;
    if (Math.abs(across) > 60 && Math.abs(across) > 2 * Math.abs(down)) go(across < 0 ? "next" : "prev");
  }, { passive: true });

  // Copying.
  for (const block of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.querySelector("code").textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block.querySelector("code"));
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    block.after(button);
  }

  // Printing shows what is folded away, and all pictures.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const part of opened) part.open = true;
    for (const image of document.images) image.loading = "eager";
  });
  addEventListener("afterprint", () => { for (const part of opened) part.open = false; });
})();
