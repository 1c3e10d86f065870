"use strict";
// Before the first paint: the theme that this visitor chose, and that scripts run at all.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const chosen = localStorage.getItem("artgen-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch { /* storage may be forbidden: then the system decides */ }
})();
