"use strict";
// The piece in a lightbox that fills the window, with the previous and next piece of the series. PhotoSwipe
// and the list of the series' pictures are loaded when they are first needed.
(() => {
  const link = document.querySelector(".open");
  const root = document.documentElement.dataset.root;
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  link.setAttribute("aria-haspopup", "dialog");

  const loadElement = (createElement) => new Promise((resolve, reject) => {
    const element = createElement();
    element.onload = resolve;
    element.onerror = () => reject(new Error("not loaded"));
    document.head.append(element);
  });
  const loadScript = (src) => loadElement(() => Object.assign(document.createElement("script"), { src }));
  const loadStylesheet = (href) =>
    loadElement(() => Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  let assets = null;
  const loadAssets = () => assets ??= Promise.all([
    loadScript(`${root}assets/photoswipe/photoswipe.umd.min.js`),
    loadStylesheet(`${root}assets/photoswipe/photoswipe.css`),
    loadScript(link.dataset.slides),
  ]);

  // The format that the browser chose for the piece on the page is one that it can read.
  const toSlide = (work) => {
    const extension = link.querySelector("img").currentSrc.split(".").pop();
    const files = work.files[extension] ?? work.files.jpg;
    const enlargement = work.pixelated ? Math.ceil(1024 / work.width) : 1;
    return {
      src: root + (files ? files[files.length - 1][0] : work.src),
      srcset: files?.map(([file, width]) => `${root}${file} ${width}w`).join(", "),
      width: work.width * enlargement,
      height: work.height * enlargement,
      alt: work.alt,
      title: work.title,
      page: work.page,
      pixelated: work.pixelated,
    };
  };

  // Keep the keyboard focus inside: after the last button comes the first.
  const trapFocus = (event) => {
    if (event.key !== "Tab") return;
    event.preventDefault();
    const buttons = [...event.currentTarget.querySelectorAll("button:enabled")]
      .filter((each) => each.checkVisibility({ visibilityProperty: true }));
    const next = buttons.indexOf(document.activeElement) + (event.shiftKey ? -1 : 1);
    buttons[(next + buttons.length) % buttons.length].focus();
  };

  const open = () => {
    const slides = globalThis.artgenSlides.map(toSlide);
    const currentIndex = slides.findIndex((each) => each.page === link.dataset.page);
    const duration = reducedMotion.matches ? 0 : 200;
    const lightbox = new globalThis.PhotoSwipe({
      dataSource: slides,
      index: Math.max(0, currentIndex),
      loop: false,
      bgOpacity: 1,
      showHideAnimationType: reducedMotion.matches ? "none" : "fade",
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
    lightbox.on("uiRegister", () => lightbox.ui.registerElement({
      name: "words",
      appendTo: "root",
      onInit: (element) => {
        element.className = "pswp__words";
        element.setAttribute("aria-live", "polite");
        const caption = element.appendChild(document.createElement("span"));
        caption.dir = "auto";
        const updateCaption = () => { caption.textContent = slides[lightbox.currIndex].title; };
        lightbox.on("change", updateCaption);
        updateCaption();
      },
    }));
    lightbox.on("contentAppend", ({ content }) => {
      content.element.classList.toggle("pixelated", content.data.pixelated);
    });
    lightbox.on("afterInit", () => {
      lightbox.element.setAttribute("aria-modal", "true");
      lightbox.element.setAttribute("aria-label", "Enlarged");
      lightbox.element.addEventListener("keydown", trapFocus);
      // While opening, PhotoSwipe does not listen to keys yet.
      lightbox.element.addEventListener("keydown", ({ key }) => {
        if (key === "Escape" && !lightbox.opener.isOpen) lightbox.on("openingAnimationEnd", () => lightbox.close());
      });
      lightbox.element.querySelector(".pswp__button--close").focus();
    });
    // A visitor who moved on to another piece goes to its page.
    let lastIndex = currentIndex;
    lightbox.on("change", () => { lastIndex = lightbox.currIndex; });
    lightbox.on("destroy", () => {
      if (lastIndex === currentIndex) link.focus({ preventScroll: true });
      else location.href = root + slides[lastIndex].page;
    });
    lightbox.init();
  };

  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    try {
      await loadAssets();
      open();
    } catch {
      location.href = link.href;
    }
  });
  link.addEventListener("pointerenter", () => { loadAssets().catch(() => {}); }, { once: true });
})();
