// Starts the slides once formulas have their size, and shrinks what would not fit.
(function () {
  const SMALLEST = 25; // pixels of 720; code and tables are a little smaller

  function overflows(slide) {
    const frame = slide.getBoundingClientRect();
    const edge = frame.left + frame.width * 0.955; // where the padding begins
    return slide.scrollHeight > slide.clientHeight || slide.scrollWidth > slide.clientWidth ||
      [...slide.querySelectorAll("table, mjx-math")].some(
        (part) => part.getBoundingClientRect().right > edge) ||
      [...slide.querySelectorAll(".eqno")].some((number) =>
        number.parentElement.querySelector("mjx-math").getBoundingClientRect().right >
        number.getBoundingClientRect().left) ||
      [...slide.querySelectorAll("pre")].some((code) => code.scrollWidth > code.clientWidth);
  }

  function fit(slide) {
    for (let size = 32; size >= SMALLEST && overflows(slide); size -= 1) {
      slide.style.fontSize = size + "px";
    }
  }

  async function start() {
    if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
    await Reveal.initialize({
      width: 1280, height: 720, margin: 0, center: false, display: "flex", hash: true,
      slideNumber: "c/t", scrollActivationWidth: 0, pdfMaxPagesPerSlide: 1, transition: "none", plugins: [RevealNotes],
      // All slides are laid out at once, so that each can be measured.
      viewDistance: 1000, mobileViewDistance: 1000,
    });
    document.querySelectorAll(".reveal .slides section").forEach(fit);
    document.documentElement.dataset.ready = "";
  }
  start();
})();
