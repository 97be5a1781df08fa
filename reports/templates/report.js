
"use strict";
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const input = byId("filter");
  const shown = byId("shown");
  const table = document.querySelector(".matrix");
  const goals = [...table.tBodies];
  const totals = [...document.querySelectorAll(".totals a")];
  let here = null;

  // --- The steps of scenarios: packed in the page, unpacked when somebody asks for them.

  let unpacking = null;
  const details = () => (unpacking ??= (async () => {
    const { textContent: text, dataset } = byId("details");
    const bytes = new Uint8Array(dataset.bytes);
    // 13 bits a pair of characters, from # to }; ~ stands for <, which would end the script.
    const digit = (at) => { const code = text.charCodeAt(at); return (code === 126 ? 60 : code) - 35; };
    for (let at = 0, to = 0, bits = 0, count = 0; to < bytes.length; at += 2) {
      bits |= (digit(at) + 91 * digit(at + 1)) << count;
      for (count += 13; count >= 8 && to < bytes.length; count -= 8, bits >>>= 8) bytes[to++] = bits;
    }
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const all = JSON.parse(await new Response(stream).text());
    // All is packed by columns, and of attempts and steps only what is out of the ordinary.
    const rows = (columns) => Object.values(columns)[0].map((_, at) => Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, column[at]])));
    // What stood there before is packed as how far back; 0 is one more.
    const indexes = (count = 0) => (back) => (back ? count - back : count++);
    const [stepAt, fileAt, attempts, lanes] = [indexes(), indexes(), rows(all.attempts), rows(all.lanes)];
    for (const attempt of attempts) {
      attempt.outcome ??= "passed";
      attempt.steps = attempt.steps.map(stepAt);
      attempt.files = attempt.files.map(([place, back]) => [place, fileAt(back)]);
    }
    for (const lane of lanes) lane.attempts = attempts.splice(0, lane.attempts);
    all.scenarios = rows(all.scenarios);
    for (const scenario of all.scenarios) scenario.lanes = lanes.splice(0, scenario.lanes);
    for (const step of all.steps) step.status ??= "passed";
    all.ofGoal = new Map(goals.map((goal) => [goal.id, []]));
    for (const scenario of all.scenarios) {
      for (const goal of scenario.goals) all.ofGoal.get(goal)?.push(scenario);
    }
    return all;
  })());

  // Texts come from features, programs and models: they become text nodes and never markup.
  const make = (name, properties, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };
  const tones = { passed: "ok", failed: "bad", undefined: "warn", ambiguous: "warn", unknown: "warn" };
  const signs = { ok: "✓", bad: "✗", warn: "!", off: "○" };
  const tone = (status) => tones[status] ?? "off";
  const chip = (status) => make("span", { className: `chip ${tone(status)}` }, `${signs[tone(status)]} ${status}`);
  const isDigest = /^[0-9a-f]{64}$/i;

  const copyButton = (text) => {
    const button = make("button", { type: "button", className: "copy" }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select it and copy";
      }
    });
    return button;
  };

  const fileList = (all, indexes) => {
    const list = make("p", { className: "kept" }, "Evidence: ");
    for (const index of indexes) {
      const [name, sha256, bytes] = all.files[index];
      const text = `${name} (${bytes})`;
      list.append(isDigest.test(sha256) ? make("a", { href: `evidence/${sha256}`, title: `SHA-256 ${sha256}` }, text) : text, " ");
    }
    return list;
  };

  const assertion = ({ broken, must, name, subject, expected, artifact }) => make("li", {},
    `${broken ? "✗" : "✓"} ${must ? "must" : "must not"} `, make("code", {}, name),
    " ", make("bdi", {}, `${subject}${expected ? `: ${expected}` : ""}`), " ", make("small", {}, `read from ${artifact}`));

  const stepItem = (all, step, files) => {
    const item = make("li", { className: tone(step.status) }, `${signs[tone(step.status)]} ${step.text}`);
    if (step.said) item.append(make("pre", {}, step.said));
    if (step.asserted) item.append(make("ul", { className: "ledger" }, ...step.asserted.map(assertion)));
    if (files.length) item.append(fileList(all, files));
    return item;
  };

  const duration = (millis) => (millis < 10000 ? `${millis} ms` : `${Math.floor(millis / 1000)} s`);

  const attemptNodes = (all, lane, attempt, index) => {
    const which = lane.attempts.length > 1 ? `, attempt ${index + 1}` : "";
    const at = (place) => attempt.files.filter((file) => file[0] === place).map((file) => file[1]);
    const steps = attempt.steps.map((step, place) => stepItem(all, all.steps[step], at(place)));
    const nodes = [
      make("h4", {}, `${lane.lane}${which}: ${attempt.outcome} in ${duration(attempt.millis)}`),
      make("ol", { className: "steps" }, ...steps),
    ];
    const rest = at(attempt.steps.length);
    if (rest.length) nodes.push(fileList(all, rest));
    return nodes;
  };

  const again = (command) => make("p", { className: "again" }, make("span", {}, "Reproduce"),
    make("code", { className: "command" }, command), copyButton(command));

  const scenarioDetails = (all, scenario) => {
    const summary = make("summary", {}, chip(scenario.result), " ", make("bdi", {}, scenario.name), " ");
    if (scenario.control) summary.append(make("span", { className: "tag" }, "control twin"), " ");
    summary.append(make("code", {}, scenario.place));
    const node = make("details", { className: "scenario" }, summary);
    node.dataset.place = scenario.place;
    node.addEventListener("toggle", () => {
      if (scenario.written.length) {
        node.append(make("ol", { className: "steps" }, ...scenario.written.map((text) => make("li", {}, `○ ${text}`))));
      }
      for (const lane of scenario.lanes) {
        if (lane.again) node.append(again(lane.again));
        lane.attempts.forEach((attempt, index) => node.append(...attemptNodes(all, lane, attempt, index)));
      }
    }, { once: true });
    return node;
  };

  const fill = async (goal) => {
    if (goal.dataset.filled) return;
    goal.dataset.filled = "yes";
    const box = make("div", { className: "runs" });
    goal.querySelector(".proof > td").append(box);
    try {
      const all = await details();
      const scenarios = all.ofGoal.get(goal.id);
      box.append(make("h4", {}, scenarios.length ? `Scenarios (${scenarios.length})` : "No scenario is linked to this goal."),
        ...scenarios.map((scenario) => scenarioDetails(all, scenario)));
    } catch (error) {
      box.append(make("p", { className: "note" }, `The steps cannot be unpacked here (${error}); matrix.json has them.`));
    }
  };

  // --- The filter: words, and keys with values. All of them hold together.

  const texts = new Map();
  const textOf = (goal) => {
    if (!texts.has(goal)) texts.set(goal, goal.textContent.toLowerCase());
    return texts.get(goal);
  };
  const addScenarioNames = (all) => {
    for (const goal of goals) {
      const names = all.ofGoal.get(goal.id).map((scenario) => `${scenario.name} ${scenario.place}`);
      texts.set(goal, `${textOf(goal)} ${names.join(" ").toLowerCase()}`);
    }
  };
  const cell = (goal, index) => goal.rows[0].cells[index].textContent.toLowerCase();
  // As the cell has it: a sign, then the status.
  const statusOf = (goal) => cell(goal, 1).split(" ")[1];
  const status = (goal, value) => statusOf(goal).startsWith(value);
  // As the cell has them: sign, lane, result, and more behind a comma.
  const lanesOf = (goal) => [...goal.querySelectorAll(".lane")].flatMap((node) => {
    const [, lane, result] = node.textContent.split(/[ ,]+/);
    return [lane, `${lane}:${result}`];
  });
  const keys = {
    tier: (goal, value) => goal.id.startsWith(`G${value}.`),
    s: status,
    status,
    owner: (goal, value) => cell(goal, 8).startsWith(value),
    flake: (goal, value) => cell(goal, 6).startsWith(value),
    goal: (goal, value) => goal.id.toLowerCase() === value,
    lane: (goal, value) => lanesOf(goal).includes(value),
  };

  const parse = (query) => (query.toLowerCase().match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).map((word) => {
    const [, before, key, after, rest] = /^(!?)(?:([a-z]+):)?(!?)(.*)$/s.exec(word.replaceAll('"', ""));
    const known = key !== undefined && Object.hasOwn(keys, key);
    const values = known ? rest.split(",").filter(Boolean) : [`${key === undefined ? "" : `${key}:`}${after}${rest}`.replace(/^!/, "")];
    const test = known ? keys[key] : (goal, value) => textOf(goal).includes(value);
    const not = (before === "!") !== (after === "!");
    return (goal) => values.length === 0 || values.some((value) => test(goal, value)) !== not;
  });

  const filter = () => {
    const terms = parse(input.value);
    let count = 0;
    for (const goal of goals) {
      goal.hidden = !terms.every((term) => term(goal));
      count += goal.hidden ? 0 : 1;
    }
    shown.textContent = `${count} of ${goals.length}`;
    byId("nothing").hidden = count > 0 || goals.length === 0;
    const query = input.value.trim();
    for (const link of totals) {
      const current = link.getAttribute("href") === `#?q=${query}`;
      if (current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  // Names of scenarios are known once they are unpacked, which only words need.
  const filterDeeply = async () => {
    filter();
    if (input.value && !texts.complete) {
      texts.complete = true;
      try {
        addScenarioNames(await details());
        filter();
      } catch {
        // The filter goes on with what the page shows.
      }
    }
  };

  // --- The address is the state: #G0.1, or #?q=FILTER&goal=G0.1&at=FILE:LINE.

  const readable = (text) => encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%20", "+");
  const openGoals = () => goals.filter((goal) => goal.classList.contains("open"));
  const remember = () => {
    const open = openGoals().map((goal) => goal.id);
    const parts = [];
    if (input.value) parts.push(`q=${readable(input.value)}`);
    if (open.length) parts.push(`goal=${open.join(",")}`);
    history.replaceState(null, "", parts.length === 1 && open.length === 1 ? `#${open[0]}` : `#?${parts.join("&")}`);
  };

  const setOpen = (goal, open) => {
    goal.classList.toggle("open", open);
    goal.querySelector("a").setAttribute("aria-expanded", String(open));
    return open ? fill(goal) : undefined;
  };
  const stand = (goal) => {
    here?.classList.remove("here");
    here = goal;
    goal.classList.add("here");
    goal.scrollIntoView({ block: "nearest" });
    goal.querySelector("a").focus({ preventScroll: true });
  };
  const toggle = (goal) => {
    setOpen(goal, !goal.classList.contains("open"));
    stand(goal);
    remember();
  };

  const show = async (goal, place) => {
    goal.hidden = false;
    stand(goal);
    await setOpen(goal, true);
    goal.scrollIntoView();
    const scenario = place && [...goal.querySelectorAll("details.scenario")].find((node) => node.dataset.place === place);
    if (scenario) {
      scenario.open = true;
      scenario.scrollIntoView();
    }
  };

  const fromAddress = async () => {
    const hash = location.hash.slice(1);
    if (!hash.startsWith("?")) {
      let id = hash;
      try {
        id = decodeURIComponent(hash);
      } catch {
        // A broken address names nothing.
      }
      const goal = goals.find((candidate) => candidate.id === id);
      if (goal) await show(goal);
      return;
    }
    const wanted = new URLSearchParams(hash.slice(1));
    input.value = wanted.get("q") ?? "";
    await filterDeeply();
    const place = wanted.get("at");
    let ids = (wanted.get("goal") ?? "").split(",");
    if (place) ids = (await details()).scenarios.find((scenario) => scenario.place === place)?.goals ?? ids;
    for (const goal of goals.filter((candidate) => ids.includes(candidate.id))) await show(goal, place);
  };

  // --- Keys.

  const move = (step, wanted) => {
    const visible = [...table.tBodies].filter((goal) => !goal.hidden);
    const at = visible.indexOf(here);
    const ahead = step > 0 ? visible.slice(at + 1) : visible.slice(0, at === -1 ? undefined : at).reverse();
    const next = ahead.find(wanted);
    if (next) stand(next);
  };
  const any = () => true;
  const unproved = (goal) => statusOf(goal) !== "verified";
  const help = byId("help");
  const actions = {
    "/": () => { input.focus(); input.select(); },
    "?": () => help.showModal(),
    j: () => move(1, any),
    k: () => move(-1, any),
    n: () => move(1, unproved),
    N: () => move(-1, unproved),
    Enter: () => here && toggle(here),
  };
  const takesKeys = (target) => target.closest?.("input, button, summary, dialog, a") ?? null;

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target === input) {
      if (event.key === "Escape") {
        if (input.value) { input.value = ""; filter(); remember(); } else input.blur();
      }
      return;
    }
    // What has the focus answers to Enter itself.
    if (event.key === "Enter" && takesKeys(event.target)) return;
    if (Object.hasOwn(actions, event.key)) {
      event.preventDefault();
      actions[event.key]();
    }
  });

  table.addEventListener("click", (event) => {
    const row = event.target.closest("tr.goal");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection())) return;
    event.preventDefault();
    toggle(row.parentElement);
  });

  // --- Order.

  const order = {
    goal: (goal) => goals.indexOf(goal),
    status: statusOf,
    owner: (goal) => cell(goal, 8),
    passed: (goal) => {
      const [passed, total] = cell(goal, 3).split("/").map(Number);
      return total ? passed / total : -1;
    },
  };
  const sort = (head) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = order[head.dataset.sort];
    const compare = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : goals.indexOf(a) - goals.indexOf(b));
    table.append(...[...goals].sort((a, b) => (down ? compare(b, a) : compare(a, b))));
  };
  for (const head of table.querySelectorAll("th[data-sort]")) {
    const button = make("button", { type: "button" }, ...head.childNodes);
    button.addEventListener("click", () => sort(head));
    head.append(button);
  }

  // --- Every scenario, for the way back.

  const every = byId("scenarios");
  every.addEventListener("toggle", async () => {
    const all = await details();
    const row = (scenario) => make("tr", {}, make("th", { scope: "row" }, scenario.name), make("td", {}, chip(scenario.result)),
      make("td", {}, ...scenario.goals.flatMap((goal) => [make("a", { href: `#${goal}` }, goal), " "])),
      make("td", {}, make("code", {}, scenario.place)));
    const heads = ["Scenario", "Result", "Goals", "Place"].map((text) => make("th", { scope: "col" }, text));
    every.append(make("div", { className: "card" }, make("table", {},
      make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...all.scenarios.map(row)))));
  }, { once: true });

  // --- Begin.

  root.classList.add("scripted");
  document.querySelector("form.filter").hidden = false;
  every.hidden = false;
  input.addEventListener("input", () => { filterDeeply(); remember(); });
  document.querySelector("form.filter").addEventListener("submit", (event) => event.preventDefault());
  byId("keys").addEventListener("click", () => help.showModal());
  for (const command of document.querySelectorAll("code.command")) command.after(copyButton(command.textContent));
  addEventListener("hashchange", fromAddress);
  shown.textContent = `${goals.length} of ${goals.length}`;
  fromAddress();
})();
