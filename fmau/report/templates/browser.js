// The answers table: filters and pages over the embedded rows. All text is set as textContent.
"use strict";
(() => {
  const PAGE = 25;
  const LONG = 140; // characters of a text shown before it folds
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const [textInput, taskSelect, actionSelect, scoreSelect, runSelect, verdictSelect, besideSelect, theirsSelect] =
    ["text", "task", "action", "score", "run", "verdict", "beside", "theirs"].map((name) => element(`filter-${name}`));
  let found = [];
  let page = 0;
  let current = -1; // row of the page that the keyboard is at
  let only = ""; // qid of the one question to show; "" for all

  function make(tag, className, text) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function addOptions(select, values) {
    for (const [value, label] of values) {
      const option = make("option", "", label);
      option.value = value;
      select.append(option);
    }
  }

  const run = () => data.runs[Number(runSelect.value)];
  const beside = () => (besideSelect.value === "" ? null : data.runs[Number(besideSelect.value)]);
  const shownRuns = () => [run(), beside()].filter(Boolean);
  const UNSCORED = "unscored";

  // The scores that any judge gave a row, "unscored" where one failed.
  const scoresOf = (row) => row[4].flatMap(([, levels]) => levels.map((score) => (score === null ? UNSCORED : String(Math.floor(score)))));

  // Lower-cased text of every row of a run, made once when first searched.
  const searchable = new Map();
  function searchTexts() {
    const key = runSelect.value;
    if (!searchable.has(key)) {
      const texts = run().rows.map((row, i) => [data.questions[i].flat(), row].flat().join("\n").toLowerCase());
      searchable.set(key, texts);
    }
    return searchable.get(key);
  }

  function search() {
    const words = textInput.value.toLowerCase().split(/\s+/).filter(Boolean);
    const texts = words.length ? searchTexts() : null;
    found = [];
    run().rows.forEach((row, i) => {
      if (only && data.questions[i][0] !== only) return;
      if (taskSelect.value && data.questions[i][1] !== taskSelect.value) return;
      if (actionSelect.value && data.questions[i][6] !== actionSelect.value) return;
      if (verdictSelect.value && row[0] !== verdictSelect.value) return;
      if (theirsSelect.value && beside() && beside().rows[i][0] !== theirsSelect.value) return;
      if (scoreSelect.value && !scoresOf(row).includes(scoreSelect.value)) return;
      if (texts && !words.every((word) => texts[i].includes(word))) return;
      found.push(i);
    });
    page = 0;
    show();
  }

  // The filters stand in the address, so that they survive a reload and can be sent to others.
  const kept = { text: textInput, task: taskSelect, action: actionSelect, score: scoreSelect, run: runSelect,
    result: verdictSelect, beside: besideSelect, theirs: theirsSelect };

  function remember() {
    const state = new URLSearchParams();
    for (const [name, input] of Object.entries(kept)) {
      if (input.value && !(name === "run" && input.value === "0")) state.set(name, input.value);
    }
    if (page) state.set("page", String(page + 1));
    if (only) state.set("qid", only);
    const hash = state.toString();
    if (hash || location.hash.includes("=")) history.replaceState(null, "", `#${hash}`);
  }

  function restore() {
    if (!location.hash.includes("=")) return false; // none, or the link to a section
    const state = new URLSearchParams(location.hash.slice(1));
    for (const [name, input] of Object.entries(kept)) input.value = state.get(name) ?? (name === "run" ? "0" : "");
    if (!runSelect.value) runSelect.value = "0";
    only = state.get("qid") ?? "";
    theirsSelect.parentElement.hidden = !beside();
    search();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(pages, Math.max(1, Number(state.get("page")) || 1)) - 1;
    show();
    return true;
  }

  function filter() {
    only = "";
    search();
  }

  function foldable(text) {
    if (text.length <= LONG) return document.createTextNode(text);
    const details = make("details");
    details.append(make("summary", "", `${text.slice(0, LONG).trimEnd()} …`), make("div", "", text));
    return details;
  }

  function cell(className, name, text) {
    const node = make("td", className);
    if (name) node.dataset.name = name;
    if (text) node.append(foldable(text));
    return node;
  }

  // Clip -> the element that holds its frames; turned into a picture only while it is shown.
  const strips = new Map();
  for (const holder of document.querySelectorAll("script[data-strip]")) strips.set(holder.dataset.strip, holder);

  function frames(clip) {
    const holder = strips.get(clip);
    const figure = make("span", "frames");
    const image = make("img");
    image.src = `data:image/jpeg;base64,${holder.textContent}`;
    const seconds = holder.dataset.seconds.split(" ");
    image.alt = `${seconds.length} frames of ${clip}`;
    const times = make("span", "times");
    times.append(...seconds.map((second) => make("span", "", `${second} s`)));
    figure.append(image, times);
    return figure;
  }

  function tableRow(i) {
    const [qid, task, clip, stem, options, gold] = data.questions[i];
    const question = make("td", "question", stem);
    if (options.length) question.append(make("span", "options", options.join("\n")));
    const source = make("span", "source");
    const link = make("a", "", qid);
    link.href = `#${new URLSearchParams({ ...(runSelect.value === "0" ? {} : { run: runSelect.value }), qid })}`;
    link.title = "Link to this question";
    source.append(link, ` · ${clip}`);
    question.append(source);
    if (strips.has(clip)) question.append(frames(clip));
    const row = make("tr");
    row.append(make("td", "task", task), question, cell("gold", "gold", gold));
    row.append(...shownRuns().map((one) => pane(one, i)));
    return row;
  }

  // What became of a question in one run: result, answer, the reply it was read from, judges.
  function pane(one, i) {
    const [verdict, answer, reply, thought, opinions] = one.rows[i];
    const node = make("td", "pane");
    node.dataset.name = one.name;
    node.append(make("span", `result ${verdict.replaceAll(" ", "-")}`, verdict));
    for (const [name, text] of [["said", answer], ["reply", reply]]) {
      if (!text) continue;
      const block = make("div", name);
      block.append(foldable(text));
      node.append(block);
    }
    if (thought) node.append(folded("thought", ...thought));
    node.append(...opinions.map(opinion));
    return node;
  }

  function heading() {
    const names = ["Task", "Question", "Gold", ...shownRuns().map((one) => one.name)];
    const cells = names.map((name) => make("th", "", name));
    for (const one of cells) one.scope = "col";
    element("heading").replaceChildren(...cells);
  }

  function folded(kind, heading, text) {
    const details = make("details", kind);
    details.append(make("summary", "", heading), make("div", "", text));
    return details;
  }

  // One judge's scores, with its reasons folded below.
  function opinion([judge, levels, reasons]) {
    const scores = levels.map((score, place) => `L${place + 1} ${score === null ? "–" : score}`).join("  ");
    return folded("opinion", `${judge}: ${scores}`, reasons);
  }

  function show() {
    const first = page * PAGE;
    const shown = found.slice(first, first + PAGE);
    heading();
    element("answers").replaceChildren(...shown.map(tableRow));
    current = -1;
    const number = (value) => value.toLocaleString("en-GB");
    element("count").textContent = found.length
      ? `${number(first + 1)}–${number(first + shown.length)} of ${number(found.length)}`
      : "no answer fits these filters";
    element("previous").disabled = page === 0;
    element("next").disabled = first + PAGE >= found.length;
    element("one-alone").hidden = !only;
    remember();
  }

  function turn(step) {
    page += step;
    show();
    element("browser").scrollIntoView();
  }

  // Move the keyboard's row; past either end the page turns.
  function move(step) {
    const rows = element("answers").children;
    const next = current + step;
    if (next < 0 && page > 0) { turn(-1); current = element("answers").children.length; move(-1); return; }
    if (next >= rows.length && (page + 1) * PAGE < found.length) { turn(1); move(1); return; }
    if (next < 0 || next >= rows.length) return;
    rows[current]?.classList.remove("current");
    current = next;
    rows[current].classList.add("current");
    rows[current].scrollIntoView({ block: "nearest" });
  }

  function unfold() {
    const folds = [...(element("answers").children[current]?.querySelectorAll("details") ?? [])];
    const open = folds.some((fold) => !fold.open);
    for (const fold of folds) fold.open = open;
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    n: () => { if (!element("next").disabled) turn(1); },
    p: () => { if (!element("previous").disabled) turn(-1); },
    Enter: unfold,
    "/": () => textInput.focus(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, button, summary")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  const distinct = (values) => [...new Set(values)].map((value) => [value, value]);
  addOptions(taskSelect, distinct(data.questions.map((question) => question[1])).sort());
  const results = distinct(data.runs.flatMap((one) => one.rows.map((row) => row[0]))).sort();
  for (const select of [verdictSelect, theirsSelect]) addOptions(select, results);
  addOptions(actionSelect, distinct(data.questions.map((question) => question[6]).filter(Boolean)).sort());
  const given = distinct(data.runs.flatMap((one) => one.rows.flatMap(scoresOf))).sort();
  addOptions(scoreSelect, given);
  scoreSelect.parentElement.hidden = given.length === 0;
  for (const select of [runSelect, besideSelect]) addOptions(select, data.runs.map((one, i) => [String(i), one.name]));

  let waiting;
  textInput.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 150); });
  for (const select of [taskSelect, actionSelect, scoreSelect, runSelect, verdictSelect, besideSelect, theirsSelect]) {
    select.addEventListener("change", filter);
  }
  besideSelect.addEventListener("change", () => { theirsSelect.parentElement.hidden = !beside(); });
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  element("previous").addEventListener("click", () => turn(-1));
  element("next").addEventListener("click", () => turn(1));
  element("show-all").addEventListener("click", filter);
  addEventListener("hashchange", () => { if (restore()) element("browser").scrollIntoView(); });
  if (!restore()) search();
  else element("browser").scrollIntoView();
})();
