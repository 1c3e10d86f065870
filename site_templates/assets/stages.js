"use strict";
// Two sliders: through the stages, which lie over each other, and between before and after.
(() => {
  const stages = document.querySelector(".stages");
  if (stages) {
    const items = [...stages.querySelectorAll("li")];
    const range = stages.querySelector("input");
    // Between two stages the later one is half transparent, which shows best what a step changed.
    const show = () => {
      const position = Number(range.value);
      const lower = Math.floor(position);
      const nearest = Math.round(position);
      items.forEach((item, number) => {
        item.toggleAttribute("data-near", number === lower || number === lower + 1);
        item.toggleAttribute("data-told", number === nearest);
        item.querySelector("picture").style.opacity = number > lower ? position - lower : 1;
      });
      range.setAttribute("aria-valuetext", items[nearest].querySelector("p").textContent.replace(/\s+/g, " ").trim());
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
