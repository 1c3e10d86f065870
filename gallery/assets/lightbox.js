"use strict";
// The work alone and as large as the window, with its neighbours to the left and right. PhotoSwipe and the
// list of the series' pictures are loaded when they are first asked for.
(() => {
  const link = document.querySelector(".open");
  const root = document.documentElement.dataset.root;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  link.setAttribute("aria-haspopup", "dialog");

  const loaded = (make) => new Promise((resolve, reject) => {
    const element = make();
    element.onload = resolve;
    element.onerror = () => reject(new Error("not loaded"));
    document.head.append(element);
  });
  const script = (src) => loaded(() => Object.assign(document.createElement("script"), { src }));
  const sheet = (href) => loaded(() => Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  let ready = null;
  const prepare = () => ready ??= Promise.all([
    script(`${root}assets/photoswipe/photoswipe.umd.min.js`),
    sheet(`${root}assets/photoswipe/photoswipe.css`),
    script(link.dataset.slides),
  ]);

  // The browser has shown which format it reads: the work itself is on the page.
  const slide = (work) => {
    const ending = link.querySelector("img").currentSrc.split(".").pop();
    const files = work.files[ending] ?? work.files.jpg;
    const enlarged = work.pixelated ? Math.ceil(1024 / work.width) : 1;
    return {
      src: root + (files ? files[files.length - 1][0] : work.src),
      srcset: files?.map(([file, width]) => `${root}${file} ${width}w`).join(", "),
      width: work.width * enlarged,
      height: work.height * enlarged,
      alt: work.alt,
      title: work.title,
      page: work.page,
      pixelated: work.pixelated,
    };
  };

  // The keyboard stays inside: after the last button comes the first.
  const stay = (event) => {
    if (event.key !== "Tab") return;
    event.preventDefault();
    const buttons = [...event.currentTarget.querySelectorAll("button:enabled")]
      .filter((each) => each.checkVisibility({ visibilityProperty: true }));
    const at = buttons.indexOf(document.activeElement) + (event.shiftKey ? -1 : 1);
    buttons[(at + buttons.length) % buttons.length].focus();
  };

  const open = () => {
    const slides = globalThis.artgenSlides.map(slide);
    const here = slides.findIndex((each) => each.page === link.dataset.page);
    const duration = still.matches ? 0 : 200;
    const box = new globalThis.PhotoSwipe({
      dataSource: slides,
      index: Math.max(0, here),
      loop: false,
      bgOpacity: 1,
      showHideAnimationType: still.matches ? "none" : "fade",
      showAnimationDuration: duration,
      hideAnimationDuration: duration,
      zoomAnimationDuration: duration,
      paddingFn: ({ x }) => ({ top: 64, bottom: 72, left: x < 720 ? 16 : 88, right: x < 720 ? 16 : 88 }),
      wheelToZoom: true,
      closeTitle: "Close",
      zoomTitle: "Zoom",
      arrowPrevTitle: "Previous",
      arrowNextTitle: "Next",
      errorMsg: "This picture could not be loaded.",
      returnFocus: false,
    });
    box.on("uiRegister", () => box.ui.registerElement({
      name: "words",
      appendTo: "root",
      onInit: (element) => {
        element.className = "pswp__words";
        element.setAttribute("aria-live", "polite");
        const words = element.appendChild(document.createElement("span"));
        words.dir = "auto";
        const tell = () => { words.textContent = slides[box.currIndex].title; };
        box.on("change", tell);
        tell();
      },
    }));
    box.on("contentAppend", ({ content }) => {
      content.element.classList.toggle("pixelated", content.data.pixelated);
    });
    box.on("afterInit", () => {
      box.element.setAttribute("aria-modal", "true");
      box.element.setAttribute("aria-label", "Enlarged");
      box.element.addEventListener("keydown", stay);
      // While it is opening it does not listen yet.
      box.element.addEventListener("keydown", ({ key }) => {
        if (key === "Escape" && !box.opener.isOpen) box.on("openingAnimationEnd", () => box.close());
      });
      box.element.querySelector(".pswp__button--close").focus();
    });
    // Whoever has looked on to another piece goes to its page.
    let last = here;
    box.on("change", () => { last = box.currIndex; });
    box.on("destroy", () => {
      if (last === here) link.focus({ preventScroll: true });
      else location.href = root + slides[last].page;
    });
    box.init();
  };

  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    try {
      await prepare();
      open();
    } catch {
      location.href = link.href;
    }
  });
  link.addEventListener("pointerenter", () => { prepare().catch(() => {}); }, { once: true });
})();
