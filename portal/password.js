// Lets whoever types a password see it, and says how far a new one has come. Without
// scripts the fields are what they are, and the shop decides what is good enough.
for (const box of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(box.dataset.shows);
  const show = (yes) => {
    field.type = yes ? "text" : "password";
    box.checked = yes;
  };
  field.spellcheck = false; // what is typed goes nowhere while it can be read
  field.autocapitalize = "off";
  box.addEventListener("change", () => show(box.checked));
  field.form.addEventListener("submit", () => show(false)); // browsers keep texts, and ask about passwords
  show(false);
  box.closest("[hidden]").hidden = false;
}

const strength = document.getElementById("strength");
if (strength) {
  const field = document.getElementById("new");
  const meter = strength.querySelector("meter");
  const words = strength.querySelector("span");
  // How much there is of it that neither repeats nor only counts on.
  const varied = (all) => {
    const fresh = all.filter((c, i) => i === 0 || Math.abs(c.codePointAt() - all[i - 1].codePointAt()) > 1);
    return Math.min(fresh.length, 2 * new Set(all).size);
  };
  field.addEventListener("input", () => {
    const all = [...field.value.normalize("NFKC")];
    const missing = field.minLength - all.length;
    const much = varied(all);
    const step = missing > 0 ? 1 : much < 10 ? 2 : much < 18 ? 3 : 4;
    strength.hidden = all.length === 0;
    meter.value = step === 1 ? all.length / field.minLength : step;
    const text = strength.dataset["step" + step].replace("#", missing);
    if (words.textContent !== text) words.textContent = text;
  });
}
