"use strict";
// Conveniences only: each page is complete without this script.
(() => {
  const root = document.documentElement;

  // Theme: the choice of the visitor is used on every page.
  const initialTheme = root.dataset.theme;
  const backgrounds = { light: "#faf9f6", dark: "#121212" };
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const currentTheme = () => root.dataset.theme ?? (prefersDark.matches ? "dark" : "light");
  const updateThemeColor = () => {
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.content = backgrounds[currentTheme()];
  };
  if (initialTheme) updateThemeColor();
  document.querySelector(".theme")?.addEventListener("click", () => {
    const theme = currentTheme() === "dark" ? "light" : "dark";
    root.dataset.theme = theme;
    updateThemeColor();
    try { localStorage.setItem("artgen-theme", theme); } catch { /* then it lasts for this page only */ }
  });

  // Previous and next piece by key and swipe.
  const followLink = (rel) => {
    const link = document.querySelector(`a[rel="${rel}"]`);
    if (link) location.href = link.href;
  };
  const hasOverlay = () => document.querySelector("dialog[open], .pswp");
  const RELS = { ArrowLeft: "prev", ArrowRight: "next" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !RELS[event.key] || hasOverlay()) return;
    // In these elements, arrow keys have another meaning.
    if (event.target.closest("pre, input, textarea, video")) return;
    followLink(RELS[event.key]);
  });
  let start = null;
  document.addEventListener("touchstart", (event) => {
    const isSwipe = event.touches.length === 1 && (visualViewport?.scale ?? 1) < 1.05 && !hasOverlay();
    start = isSwipe && !event.target.closest("pre, input, video") ? event.touches[0] : null;
  }, { passive: true });
  document.addEventListener("touchend", (event) => {
    if (!start || event.touches.length) return;
    const dx = event.changedTouches[0].clientX - start.clientX;
    const dy = event.changedTouches[0].clientY - start.clientY;
    start = null;
    if (Math.abs(dx) > 60 && Math.abs(dx) > 2 * Math.abs(dy)) followLink(dx < 0 ? "next" : "prev");
  }, { passive: true });

  // A button to copy each command.
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

  // Print all collapsed details and all pictures.
  let openedDetails = [];
  addEventListener("beforeprint", () => {
    openedDetails = [...document.querySelectorAll("details:not([open])")];
    for (const part of openedDetails) part.open = true;
    for (const image of document.images) image.loading = "eager";
  });
  addEventListener("afterprint", () => { for (const part of openedDetails) part.open = false; });
})();
