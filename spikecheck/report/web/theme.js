(() => {
  const root = document.documentElement, button = document.getElementById("theme");
  const remembered = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } },
                       set: (value) => { try { localStorage.setItem("theme", value); } catch { /* a file may not remember */ } } };
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const told = () => { button.textContent = dark() ? "Light" : "Dark"; button.setAttribute("aria-label", `Switch to ${dark() ? "light" : "dark"} colours`); };
  if (["light", "dark"].includes(remembered.get())) root.dataset.theme = remembered.get();
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; remembered.set(root.dataset.theme); told(); });
  told();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
})();
