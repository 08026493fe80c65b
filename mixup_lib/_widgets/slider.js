// Mixes two pictures pixel by pixel: lam * a + (1 - lam) * b, in the bytes that are shown.
(function () {
  function start(root) {
    var input = root.querySelector("input"), canvas = root.querySelector("canvas");
    var bars = root.querySelectorAll("[data-bar]"), shares = root.querySelectorAll("[data-share]");
    var names = [root.dataset.a, root.dataset.b];
    var pens = canvas.getContext("2d"), pixels = [null, null];
    function show() {
      var lam = Number(input.value), weights = [lam, 1 - lam];
      root.querySelector("output").textContent = lam.toFixed(2);
      weights.forEach(function (weight, k) {
        bars[k].style.width = 100 * weight + "%";
        shares[k].textContent = weight.toFixed(2);
      });
      input.setAttribute("aria-valuetext", lam.toFixed(2) + " " + names[0] + ", " +
        (1 - lam).toFixed(2) + " " + names[1]);
      if (!pixels[0] || !pixels[1]) return;
      var mixed = pens.createImageData(canvas.width, canvas.height);
      for (var i = 0; i < mixed.data.length; i++)
        mixed.data[i] = Math.round(lam * pixels[0][i] + (1 - lam) * pixels[1][i]);
      pens.putImageData(mixed, 0, 0);
    }
    root.querySelectorAll("img").forEach(function (image, k) {
      function read() {
        var sheet = document.createElement("canvas");
        sheet.width = canvas.width; sheet.height = canvas.height;
        var pen = sheet.getContext("2d");
        pen.drawImage(image, 0, 0);
        pixels[k] = pen.getImageData(0, 0, sheet.width, sheet.height).data;
        show();
      }
      if (image.complete && image.naturalWidth) read(); else image.addEventListener("load", read);
    });
    input.addEventListener("input", show);
    root.querySelector("[data-fallback]").remove();
    root.querySelector("[data-live]").hidden = false;
    show();
  }
  document.querySelectorAll("[data-mixup=slider]:not([data-ready])").forEach(function (root) {
    root.setAttribute("data-ready", "");
    start(root);
  });
})();
