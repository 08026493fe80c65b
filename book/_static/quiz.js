// Checks an answer in the page. Nothing is stored, nothing is sent.
document.querySelectorAll(".quiz-question").forEach((question) => {
  const inputs = [...question.querySelectorAll("input")];
  const reasons = [...question.querySelectorAll("details li")];
  const said = question.querySelector(".quiz-said");
  const right = (input) => input.hasAttribute("data-right");

  function verdict(chosen) {
    if (!chosen.length) return "none";
    if (!chosen.every(right)) return "wrong";
    return inputs.filter(right).length > chosen.length ? "missing" : "right";
  }

  function explanation(input) {
    const reason = reasons[inputs.indexOf(input)].cloneNode(true);
    reason.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
    return reason;
  }

  const button = question.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", () => {
    const chosen = inputs.filter((input) => input.checked);
    const line = document.createElement("p"), list = document.createElement("ul");
    const result = verdict(chosen);
    line.textContent = question.getAttribute("data-said-" + result);
    list.append(...chosen.map(explanation));
    said.replaceChildren(line, ...(chosen.length ? [list] : []));
    question.dataset.result = result;
  });
  // Another choice has not been judged yet.
  question.addEventListener("change", () => {
    said.replaceChildren();
    delete question.dataset.result;
  });
});
