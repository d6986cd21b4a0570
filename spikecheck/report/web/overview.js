(() => {
  // Reading needs none of this: it filters and sorts the overview, and opens what a link points into.
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = document.getElementById("filter"), table = document.getElementById("answers");
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    if (target) (target.closest("details.claim") ?? target).scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    all("details.menu").forEach((menu) => { menu.open = false; });
    if (link.hash === location.hash) reveal();
  });
  reveal();
  if (!form || !table) return;
  const words = form.querySelector("input"), outcome = form.querySelector("select"), count = form.querySelector("output");
  const rows = all("tbody tr", table);
  const show = () => {
    const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean), kept = new Set();
    for (const row of rows) {
      const text = `${row.cells[0].textContent} ${row.cells[3].textContent}`.toLowerCase();
      if ((!outcome.value || row.dataset.word === outcome.value) && asked.every((word) => text.includes(word))) kept.add(row.dataset.claim);
    }
    all("[data-claim]").forEach((part) => { part.hidden = !kept.has(part.dataset.claim); });
    count.textContent = kept.size === rows.length ? "" : `${kept.size} of ${rows.length} claims`;
  };
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
  all("th[data-sort]", table).forEach((head) => {
    const button = document.createElement("button"), column = head.cellIndex;
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => head.dataset.sort === "number" ? Number(row.cells[column].dataset.key) : row.cells[column].dataset.key;
      const order = (one, other) => (key(one) > key(other)) - (key(one) < key(other));
      table.tBodies[0].append(...rows.slice().sort((one, other) => down ? order(other, one) : order(one, other)));
    });
  });
})();
