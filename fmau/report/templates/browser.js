// The answers table: filters and pages over the embedded rows. All text is set as textContent.
"use strict";
(() => {
  const PAGE = 25;
  const LONG = 140; // characters of a text shown before it folds
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const [textInput, taskSelect, verdictSelect, runSelect] =
    ["filter-text", "filter-task", "filter-verdict", "filter-run"].map(element);
  let found = [];
  let page = 0;

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
      if (taskSelect.value && data.questions[i][1] !== taskSelect.value) return;
      if (verdictSelect.value && row[0] !== verdictSelect.value) return;
      if (texts && !words.every((word) => texts[i].includes(word))) return;
      found.push(i);
    });
    page = 0;
    show();
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

  function tableRow(i) {
    const [qid, task, clip, stem, options, gold] = data.questions[i];
    const [verdict, answer, reply] = run().rows[i];
    const question = make("td", "question", stem);
    if (options.length) question.append(make("span", "options", options.join("\n")));
    question.append(make("span", "source", `${qid} · ${clip}`));
    const result = make("td", "result");
    result.append(make("span", verdict.replaceAll(" ", "-"), verdict));
    const row = make("tr");
    row.append(
      result, make("td", "task", task), question,
      cell("gold", "gold", gold), cell("answer", "answer", answer), cell("reply", "reply", reply),
    );
    return row;
  }

  function show() {
    const first = page * PAGE;
    const shown = found.slice(first, first + PAGE);
    element("answers").replaceChildren(...shown.map(tableRow));
    const number = (value) => value.toLocaleString("en-GB");
    element("count").textContent = found.length
      ? `${number(first + 1)}–${number(first + shown.length)} of ${number(found.length)}`
      : "no answer fits these filters";
    element("previous").disabled = page === 0;
    element("next").disabled = first + PAGE >= found.length;
  }

  function turn(step) {
    page += step;
    show();
    element("browser").scrollIntoView();
  }

  const distinct = (values) => [...new Set(values)].map((value) => [value, value]);
  addOptions(taskSelect, distinct(data.questions.map((question) => question[1])).sort());
  addOptions(verdictSelect, distinct(data.runs.flatMap((one) => one.rows.map((row) => row[0]))).sort());
  addOptions(runSelect, data.runs.map((one, i) => [String(i), one.name]));

  let waiting;
  textInput.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
  for (const select of [taskSelect, verdictSelect, runSelect]) select.addEventListener("change", search);
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  element("previous").addEventListener("click", () => turn(-1));
  element("next").addEventListener("click", () => turn(1));
  search();
})();
