
"use strict";
(() => {
  const input = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const rows = [...document.querySelectorAll(".matrix tbody tr")];
  const proofs = new Map([...document.querySelectorAll("details.goal")].map((d) => [d.dataset.goal, d]));
  const text = new Map(rows.map((row) => [row, `${row.dataset.search} ${row.textContent}`.toLowerCase()]));
  let here = -1;

  const matches = (row, terms) => terms.every((term) => {
    const not = term.startsWith("!");
    const word = not ? term.slice(1) : term;
    return word === "" || text.get(row).includes(word) !== not;
  });

  const filter = () => {
    const terms = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const keep = matches(row, terms);
      row.hidden = !keep;
      proofs.get(row.dataset.goal).hidden = !keep;
      count += keep ? 1 : 0;
    }
    shown.textContent = `${count} of ${rows.length}`;
  };

  const open = (goal) => {
    const proof = proofs.get(goal);
    if (proof) {
      proof.hidden = false;
      proof.open = true;
      proof.scrollIntoView();
    }
  };

  const fromHash = () => {
    const hash = decodeURIComponent(location.hash.slice(1));
    if (hash.startsWith("?q=")) {
      input.value = hash.slice(3);
      filter();
    } else {
      open(hash);
    }
  };

  const move = (step, wanted) => {
    for (let next = here + step; next >= 0 && next < rows.length; next += step) {
      if (!rows[next].hidden && wanted(rows[next])) {
        if (rows[here]) rows[here].classList.remove("here");
        here = next;
        rows[here].classList.add("here");
        rows[here].scrollIntoView({ block: "nearest" });
        rows[here].querySelector("a").focus({ preventScroll: true });
        return;
      }
    }
  };

  input.addEventListener("input", () => {
    filter();
    history.replaceState(null, "", input.value ? `#?q=${encodeURIComponent(input.value)}` : "#");
  });
  addEventListener("hashchange", fromHash);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === input) {
      if (event.key === "Escape") input.blur();
      return;
    }
    const any = () => true;
    const keys = {
      "/": () => input.focus(),
      j: () => move(1, any),
      k: () => move(-1, any),
      n: () => move(1, (row) => row.dataset.status !== "verified"),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  document.querySelector(".filter").hidden = false;
  filter();
  fromHash();
})();
