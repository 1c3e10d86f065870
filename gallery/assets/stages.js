"use strict";
// The stages one over the other, and before and after: each under one slider.
(() => {
  const stages = document.querySelector(".stages");
  if (stages) {
    const items = [...stages.querySelectorAll("li")];
    const range = stages.querySelector("input");
    // Between two stages the later one is half there: what a step did is seen best in the passing.
    const show = () => {
      const at = Number(range.value);
      const below = Math.floor(at);
      const told = Math.round(at);
      items.forEach((item, number) => {
        item.toggleAttribute("data-near", number === below || number === below + 1);
        item.toggleAttribute("data-told", number === told);
        item.querySelector("picture").style.opacity = number > below ? at - below : 1;
      });
      range.setAttribute("aria-valuetext", items[told].querySelector("p").textContent.replace(/\s+/g, " ").trim());
    };
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    range.addEventListener("keydown", (event) => {
      if (!steps[event.key]) return;
      event.preventDefault();
      range.value = Math.round(Number(range.value)) + steps[event.key];
      show();
    });
    range.addEventListener("input", show);
    range.addEventListener("change", () => { range.value = Math.round(Number(range.value)); show(); });
    show();
  }

  const compare = document.querySelector(".compare");
  const range = compare.querySelector("input");
  const show = () => {
    compare.style.setProperty("--seen", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${range.value} percent before, ${100 - range.value} percent after`);
  };
  range.addEventListener("input", show);
  show();
})();
