"use strict";
// Before the first paint: apply the theme that the visitor chose, and mark that scripts run.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const chosen = localStorage.getItem("artgen-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch { /* storage is blocked: the system decides */ }
})();
