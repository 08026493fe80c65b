// Mixes two sounds sample by sample, draws the mixture and plays it.
(function () {
  var context = null; // one for all figures; a browser allows it only after a click
  function samples(text) {
    var bytes = atob(text), wave = new Float32Array(bytes.length / 2);
    for (var i = 0; i < wave.length; i++) {
      var low = bytes.charCodeAt(2 * i), high = bytes.charCodeAt(2 * i + 1);
      wave[i] = (((high << 8 | low) << 16) >> 16) / 32768;
    }
    return wave;
  }
  function start(root) {
    var slider = root.querySelector("input[type=range]"), canvas = root.querySelector("canvas");
    var heard = root.querySelector("input[type=checkbox]"), pen = canvas.getContext("2d");
    var bars = root.querySelectorAll("[data-bar]"), shares = root.querySelectorAll("[data-share]");
    var data = root.dataset, names = [data.a, data.b], playing = null, mixed;
    var waves = [samples(data.waveA), samples(data.waveB)];
    function weights(lam) { // of the waves; those of the label stay lam and 1 - lam
      if (!heard.checked) return [lam, 1 - lam];
      var p = lam === 0 ? 0 : 1 / (1 + Math.pow(10, Number(data.gap) / 20) * (1 - lam) / lam);
      var size = Math.sqrt(p * p + (1 - p) * (1 - p));
      return [p / size, (1 - p) / size];
    }
    function draw() {
      var height = canvas.height, width = canvas.width, step = mixed.length / width;
      pen.clearRect(0, 0, width, height);
      pen.fillStyle = "#009E73";
      for (var column = 0; column < width; column++) {
        var low = 1, high = -1;
        for (var i = Math.floor(column * step); i < (column + 1) * step; i++) {
          low = Math.min(low, mixed[i]);
          high = Math.max(high, mixed[i]);
        }
        pen.fillRect(column, height * (1 - high) / 2, 1, Math.max(1, height * (high - low) / 2));
      }
    }
    function show() {
      var lam = Number(slider.value), of = weights(lam);
      mixed = waves[0].map(function (sample, i) { return of[0] * sample + of[1] * waves[1][i]; });
      draw();
      root.querySelector("output").textContent = lam.toFixed(2);
      [lam, 1 - lam].forEach(function (weight, k) {
        bars[k].style.width = 100 * weight + "%";
        shares[k].textContent = weight.toFixed(2);
      });
      root.querySelector("[data-said]").textContent = "Weights of the waves: " +
        of[0].toFixed(2) + " " + names[0] + ", " + of[1].toFixed(2) + " " + names[1] + ".";
      slider.setAttribute("aria-valuetext", lam.toFixed(2) + " " + names[0] + ", " +
        (1 - lam).toFixed(2) + " " + names[1]);
    }
    function play(wave) {
      context = context || new (window.AudioContext || window.webkitAudioContext)();
      context.resume();
      if (playing) playing.stop();
      var buffer = context.createBuffer(1, wave.length, Number(data.rate));
      buffer.getChannelData(0).set(wave);
      playing = context.createBufferSource();
      playing.buffer = buffer;
      playing.connect(context.destination);
      playing.start();
      root.dataset.played = Number(root.dataset.played || 0) + 1;
    }
    root.querySelectorAll("[data-play]").forEach(function (button) {
      button.addEventListener("click", function () {
        play({ mixed: mixed, a: waves[0], b: waves[1] }[button.dataset.play]);
      });
    });
    slider.addEventListener("input", show);
    heard.addEventListener("change", show);
    root.querySelector("[data-fallback]").remove();
    root.querySelector("[data-live]").hidden = false;
    show();
  }
  document.querySelectorAll("[data-mixup=sound]:not([data-ready])").forEach(function (root) {
    root.setAttribute("data-ready", "");
    start(root);
  });
})();
