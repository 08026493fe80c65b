// Draws the density of Beta(alpha, alpha) and, on request, a hundred seeded draws from it.
(function () {
  function logGamma(z) { // Lanczos' approximation, g = 7
    var c = [0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
      -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
      1.5056327351493116e-7];
    if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
    var sum = c[0], t = z + 6.5;
    for (var i = 1; i < 9; i++) sum += c[i] / (z - 1 + i);
    return 0.5 * Math.log(2 * Math.PI) + (z - 0.5) * Math.log(t) - t + Math.log(sum);
  }
  function density(alpha, lam) {
    return Math.exp(logGamma(2 * alpha) - 2 * logGamma(alpha) +
      (alpha - 1) * (Math.log(lam) + Math.log1p(-lam)));
  }
  function generator(state) { // mulberry32
    return function () {
      state = (state + 0x6D2B79F5) | 0;
      var t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
  }
  function logOfGamma(alpha, random) { // Marsaglia and Tsang; the logarithm survives small alpha
    var d = alpha + 1 - 1 / 3, c = 1 / Math.sqrt(9 * d);
    for (;;) {
      var x = Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
      var v = Math.pow(1 + c * x, 3);
      if (v > 0 && Math.log(random()) < 0.5 * x * x + d - d * v + d * Math.log(v))
        return Math.log(d * v) + Math.log(random()) / alpha;
    }
  }
  function start(root) {
    var input = root.querySelector("input"), svg = root.querySelector("svg");
    var curve = svg.querySelector("[data-curve]"), bars = svg.querySelector("[data-bars]");
    var said = root.querySelector("[data-said]"), bins = 20, top = 4, random, draws;
    function alpha() { return Math.pow(2, Number(input.value)); }
    function y(value) { return 180 - 165 * Math.min(value, top) / top; }
    function show() {
      var a = alpha(), points = [], counts = new Array(bins).fill(0), extreme = 0;
      for (var i = 0; i <= 200; i++) {
        var lam = 0.001 + 0.998 * i / 200;
        points.push((40 + 320 * lam).toFixed(1) + "," + y(density(a, lam)).toFixed(1));
      }
      curve.setAttribute("points", points.join(" "));
      draws.forEach(function (lam) {
        counts[Math.min(bins - 1, Math.floor(lam * bins))]++;
        extreme += lam < 0.1 || lam > 0.9;
      });
      bars.innerHTML = counts.map(function (count, k) {
        var height = 180 - y(draws.length ? count * bins / draws.length : 0);
        return '<rect x="' + (40.5 + 16 * k) + '" y="' + (180 - height) +
          '" width="15" height="' + height + '"></rect>';
      }).join("");
      root.querySelector("output").textContent = a.toFixed(2);
      input.setAttribute("aria-valuetext", "alpha " + a.toFixed(2));
      said.textContent = draws.length
        ? extreme + " of " + draws.length + " draws lie below 0.1 or above 0.9."
        : "No draws yet: the curve is the density.";
    }
    function reset() { random = generator(1); draws = []; show(); }
    root.querySelector("button").addEventListener("click", function () {
      for (var i = 0; i < 100; i++)
        draws.push(1 / (1 + Math.exp(logOfGamma(alpha(), random) - logOfGamma(alpha(), random))));
      show();
    });
    input.addEventListener("input", reset);
    root.querySelector("[data-fallback]").remove();
    root.querySelector("[data-live]").hidden = false;
    reset();
  }
  document.querySelectorAll("[data-mixup=beta]:not([data-ready])").forEach(function (root) {
    root.setAttribute("data-ready", "");
    start(root);
  });
})();
