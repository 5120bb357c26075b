// The review page: filters, decisions, and diffs that are drawn when they come into view.
"use strict";

const plan = JSON.parse(document.getElementById("plan").textContent);
const before = JSON.parse(document.getElementById("decisions").textContent);
const STORE = "dockeropt:" + location.pathname;
const CHUNK = 20;
const byId = (id) => document.getElementById(id);

// ---- the fixes, in one list ----

const fixes = [];
const declined = new Map();
for (const repository of plan.repositories) {
  for (const file of repository.files || []) {
    for (const fix of file.fixes) {
      const key = JSON.stringify([repository.source, file.path, fix.fingerprint]);
      fixes.push({ repository, file, fix, key, at: fixes.length, text: null });
    }
    if (file.declined && file.declined.length > 0) {
      if (!declined.has(repository.name)) declined.set(repository.name, []);
      for (const one of file.declined) declined.get(repository.name).push({ path: file.path, ...one });
    }
  }
}

function searched(item) {
  if (item.text === null) {
    const { fix, file, repository } = item;
    const parts = [repository.name, repository.source, file.path, fix.transform, fix.title, fix.fingerprint];
    const lines = (fix.hunks || []).flatMap((hunk) => hunk.lines);
    item.text = parts.concat(fix.notes || [], fix.claims || [], fix.assumes || [], lines).join("\n").toLowerCase();
  }
  return item.text;
}

// ---- decisions ----

const decisions = new Map();
let unsaved = false;
const history = [];

function keyOf(decision) {
  return JSON.stringify([decision.repository, decision.path, decision.fingerprint]);
}

function load(list) {
  for (const decision of list || []) {
    const known = decisions.get(keyOf(decision));
    if (!known || (known.at || "") <= (decision.at || "")) decisions.set(keyOf(decision), decision);
  }
}

let kept = null;
try {
  kept = JSON.parse(localStorage.getItem(STORE));
} catch (_) {
  // A browser that keeps nothing: then only what is saved is kept.
}
const told = (before && before.decisions) || [];
if (kept && Array.isArray(kept.decisions)) {
  load(kept.decisions);
  load(told.filter((decision) => (decision.at || "") > kept.at));
  unsaved = kept.unsaved === true;
} else {
  load(told);
}

function verdict(item) {
  const decision = decisions.get(item.key);
  return decision && decision.decision !== "none" ? decision.decision : "none";
}

function decide(items, decision) {
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const changed = items.filter((item) => verdict(item) !== decision);
  if (changed.length === 0) return;
  history.push(changed.map((item) => [item.key, decisions.get(item.key)]));
  for (const { key, repository, file, fix } of changed) {
    if (decision === "none") {
      decisions.delete(key);
    } else {
      decisions.set(key, {
        repository: repository.source,
        path: file.path,
        fingerprint: fix.fingerprint,
        transform: fix.transform,
        title: fix.title,
        decision,
        at: now,
      });
    }
  }
  const word = { accept: "accepted", reject: "rejected", none: "undecided" }[decision];
  say(`${counted(changed.length)} ${word}`);
  keep();
}

function undo() {
  const last = history.pop();
  if (!last) return;
  for (const [key, decision] of last) {
    if (decision) decisions.set(key, decision);
    else decisions.delete(key);
  }
  say(`${counted(last.length)} as before`);
  keep();
}

function keep() {
  unsaved = true;
  remember();
  refresh();
}

function remember() {
  const at = new Date().toISOString();
  try {
    localStorage.setItem(STORE, JSON.stringify({ decisions: [...decisions.values()], unsaved, at }));
  } catch (_) {
    // Full, or not allowed.
  }
}

function save() {
  if (plan.project) return showCommand();
  const list = [...decisions.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const text = JSON.stringify({ version: 1, decisions: list }, null, 2) + "\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "decisions.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  unsaved = false;
  remember();
  say("decisions.json saved");
  refresh();
}

// For one project there is nothing to save: the command that applies what was accepted is shown.
function showCommand() {
  const accepted = fixes.filter((item) => verdict(item) === "accept").map(({ fix }) => fix.fingerprint);
  const command = accepted.length === 0 ? "Nothing was accepted." : `dockeropt fix --write --fix ${accepted.join(",")}`;
  byId("command-text").value = command;
  byId("command").showModal();
  byId("command-text").select();
  unsaved = false;
  remember();
  refresh();
}

addEventListener("beforeunload", (event) => {
  if (unsaved && !plan.project) event.preventDefault();
});

// ---- small things ----

function say(text) {
  byId("said").textContent = text;
}

function number(value) {
  return value.toLocaleString("en");
}

function counted(count, one = "fix", many = "fixes") {
  return `${number(count)} ${count === 1 ? one : many}`;
}

function megabytes(bytes) {
  const value = bytes / 1e6;
  return Math.abs(value) >= 1000 ? `${(value / 1000).toFixed(1)} GB` : `${value.toFixed(1)} MB`;
}

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function button(text, label, action, kind) {
  return element("button", { type: "button", class: kind || "", "aria-label": label, onclick: action }, text);
}

function saved(items) {
  // What makes way for another fix saves nothing beside it.
  const known = items.filter(({ fix }) => typeof fix.saves === "number" && fix.only !== "without_unsafe");
  return known.length === 0 ? null : known.reduce((sum, { fix }) => sum + fix.saves, 0);
}

// ---- totals and kinds ----

function drawTotals() {
  const safe = fixes.filter(({ fix }) => fix.applicability === "safe").length;
  const files = new Set(fixes.map(({ repository, file }) => repository.name + "\n" + file.path)).size;
  const planned = plan.repositories.filter((one) => one.status === "planned").length;
  const bytes = saved(fixes);
  const rows = [
    ["Repositories", number(planned), plan.repositories.length > planned ? `of ${number(plan.repositories.length)}` : ""],
    ["Files", number(files), ""],
    ["Fixes", number(fixes.length), `${number(safe)} safe`],
    ["Predicted saving", bytes === null ? "not known" : megabytes(bytes), bytes === null ? "" : "in all images"],
  ];
  byId("totals").append(
    ...rows.map(([name, value, more]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value, ...(more ? [element("small", {}, more)] : []))),
    ),
  );
}

function byKind() {
  const kinds = new Map();
  for (const item of fixes) {
    if (!kinds.has(item.fix.transform)) kinds.set(item.fix.transform, []);
    kinds.get(item.fix.transform).push(item);
  }
  return [...kinds].sort((a, b) => b[1].length - a[1].length);
}

function drawKinds() {
  const kinds = byKind();
  const most = Math.max(1, ...kinds.map(([, items]) => items.length));
  for (const [kind, items] of kinds) {
    const safe = items.filter(({ fix }) => fix.applicability === "safe").length;
    const unsafe = items.length - safe;
    const bytes = saved(items);
    const part = (count, name) => {
      const made = element("i", { class: name });
      made.style.width = `${(100 * count) / most}%`;
      return made;
    };
    const acceptSafe = button("Accept safe", `Accept the safe fixes of ${kind}`, () => decide(items.filter(({ fix }) => fix.applicability === "safe"), "accept"));
    acceptSafe.disabled = safe === 0;
    const filter = button(kind, `Show the fixes of ${kind}`, () => setFilter("transform", kind), "link");
    byId("kinds").tBodies[0].append(
      element(
        "tr",
        { "data-kind": kind },
        element("th", { scope: "row", class: "name" }, filter),
        element("td", { class: "chart" }, element("div", { class: "bar-track", "aria-hidden": "true" }, part(safe, "safe"), part(unsafe, "unsafe"))),
        element("td", { class: "number", "data-name": "safe" }, number(safe)),
        element("td", { class: "number", "data-name": "unsafe" }, number(unsafe)),
        element("td", { class: "number", "data-name": "saves" }, bytes === null ? "not known" : megabytes(bytes)),
        element(
          "td",
          { class: "buttons" },
          element(
            "span",
            { class: "decide" },
            acceptSafe,
            button("Accept all", `Accept all fixes of ${kind}`, () => decide(items, "accept")),
            button("Reject all", `Reject all fixes of ${kind}`, () => decide(items, "reject")),
          ),
        ),
      ),
    );
    byId("transform").append(element("option", { value: kind }, kind));
  }
}

function drawTrouble() {
  const failed = plan.repositories.filter((one) => one.status === "failed");
  const errors = plan.repositories.flatMap((one) => (one.errors || []).map((error) => ({ name: one.name, ...error })));
  if (failed.length + errors.length === 0) return;
  const rows = failed.map((one) => {
    const failure = one.failure || { reason: "failed" };
    const more = failure.output ? [element("details", {}, element("summary", {}, "What git said"), element("pre", {}, failure.output))] : [];
    return element("li", {}, element("strong", {}, one.source), `: ${failure.reason}`, ...more);
  });
  const files = errors.map((error) => {
    const line = error.line ? `:${error.line}` : "";
    return element("li", {}, element("strong", {}, error.name), ` ${error.path}${line}: ${error.message}`);
  });
  const parts = [];
  if (rows.length > 0) parts.push(counted(rows.length, "repository", "repositories"));
  if (files.length > 0) parts.push(counted(files.length, "file", "files"));
  byId("trouble").append(element("details", {}, element("summary", {}, `Could not be looked at: ${parts.join(", ")}`), element("ul", {}, ...rows, ...files)));
  byId("trouble").hidden = false;
}

// ---- filters ----

let shown = [];
let drawn = 0;
let current = -1;
const filterNames = ["text", "transform", "repository", "applicability", "decision"];

function setFilter(name, value) {
  byId(name).value = value;
  filter();
  byId("filters").scrollIntoView();
}

function filter() {
  const value = Object.fromEntries(filterNames.map((name) => [name, byId(name).value.trim()]));
  const words = value.text.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = value.repository.toLowerCase();
  shown = fixes.filter((item) => {
    const { fix, repository } = item;
    return (
      (!value.transform || fix.transform === value.transform) &&
      (!wanted || repository.name.toLowerCase().includes(wanted)) &&
      (!value.applicability || fix.applicability === value.applicability) &&
      (!value.decision || verdict(item) === value.decision) &&
      words.every((word) => searched(item).includes(word))
    );
  });
  shown.forEach((item, at) => (item.place = at));
  current = -1;
  drawn = 0;
  byId("list").replaceChildren();
  drawMore();
  refresh();
}

// ---- the list ----

function drawMore() {
  const list = byId("list");
  const end = Math.min(shown.length, drawn + CHUNK);
  const made = document.createDocumentFragment();
  for (; drawn < end; drawn += 1) {
    const item = shown[drawn];
    const last = shown[drawn - 1];
    if (!last || last.repository !== item.repository) made.append(...drawRepository(item.repository));
    made.append(drawFix(item));
  }
  if (shown.length === 0) made.append(element("p", { class: "faint" }, fixes.length === 0 ? "There is nothing to do." : "No fix matches the filters."));
  list.append(made);
}

function shownOf(repository) {
  return shown.filter((item) => item.repository === repository);
}

function drawRepository(repository) {
  const about = [];
  if (repository.source !== repository.name) about.push(repository.source);
  if (repository.ref) about.push(`ref ${repository.ref}`);
  if (repository.commit) about.push(`at ${repository.commit.slice(0, 10)}`);
  const left = Object.entries(repository.left_out || {}).map(([reason, count]) => `${count} ${reason}`);
  if (left.length > 0) about.push(`left out: ${left.join(", ")}`);
  const lines = [element("span", { class: "about" }, about.join(" · "))];
  if (repository.used_by && repository.used_by.length > 0) {
    const names = repository.used_by.slice(0, 5).join(", ") + (repository.used_by.length > 5 ? " ..." : "");
    lines.push(element("span", { class: "about" }, element("span", { class: "mark" }, "Others start from its image: "), names));
  }
  for (const warning of repository.warnings || []) {
    lines.push(element("span", { class: "about" }, element("span", { class: "mark" }, "Warning: "), warning));
  }
  const heading = element(
    "div",
    { class: "repository" },
    element("h3", {}, repository.name),
    element(
      "span",
      { class: "decide" },
      button("Accept repository", `Accept all fixes shown of ${repository.name}`, () => decide(shownOf(repository), "accept")),
      button("Reject repository", `Reject all fixes shown of ${repository.name}`, () => decide(shownOf(repository), "reject")),
    ),
    ...lines,
  );
  const refused = declined.get(repository.name);
  if (!refused) return [heading];
  const details = element("details", { class: "declined" }, element("summary", {}, `Looked at and left alone: ${counted(refused.length, "place", "places")}`));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) {
      details.append(element("ul", {}, ...refused.map(({ path, line, transform, reason }) => element("li", {}, element("code", {}, `${path}:${line}`), ` ${transform}: ${reason}`))));
    }
  });
  return [heading, details];
}

function drawFix(item) {
  const { fix, file } = item;
  const title = element("h4", {}, fix.title);
  const name = `fix-${item.at}`;
  title.id = name;
  const lines = fix.end_line > fix.start_line ? `lines ${fix.start_line} to ${fix.end_line}` : `line ${fix.start_line}`;
  const saves = typeof fix.saves === "number" ? ` · saves ${megabytes(fix.saves)}` : "";
  const terms = element("dl", { class: "terms" });
  for (const [word, texts] of [["Why", fix.notes], ["May differ", fix.claims], ["Assumes", fix.assumes]]) {
    if (texts && texts.length > 0) terms.append(element("dt", {}, word), ...texts.map((text) => element("dd", {}, text)));
  }
  const when = { with_unsafe: "together with the unsafe fixes of the file that it builds on", without_unsafe: "where the unsafe fixes that do more in its place are not" };
  if (fix.only) terms.append(element("dt", {}, "Made"), element("dd", {}, when[fix.only]));
  const article = element(
    "article",
    { class: "fix", tabindex: "-1", "aria-labelledby": name, "data-at": item.at },
    element(
      "div",
      { class: "head" },
      title,
      element("span", { class: "tag kind" }, fix.transform),
      element("span", { class: `tag ${fix.applicability}` }, fix.applicability),
      element(
        "span",
        { class: "decide" },
        button("Accept", `Accept: ${fix.title}`, () => toggle(item, "accept"), "accept"),
        button("Reject", `Reject: ${fix.title}`, () => toggle(item, "reject"), "reject"),
      ),
      element("span", { class: "where" }, `${file.path}, ${lines}${saves} · ${fix.fingerprint}`),
    ),
    element("div", { class: "body" }, terms, drawDiff(item)),
  );
  article.addEventListener("focusin", () => (current = item.place));
  article.addEventListener("click", () => (current = item.place));
  show(article, item);
  return article;
}

function toggle(item, decision) {
  current = item.place;
  decide([item], verdict(item) === decision ? "none" : decision);
}

function show(article, item) {
  const decision = verdict(item);
  article.classList.toggle("accept", decision === "accept");
  article.classList.toggle("reject", decision === "reject");
  for (const name of ["accept", "reject"]) {
    article.querySelector(`button.${name}`).setAttribute("aria-pressed", String(decision === name));
  }
}

function refresh() {
  for (const article of byId("list").getElementsByClassName("fix")) show(article, fixes[article.dataset.at]);
  const counts = { accept: 0, reject: 0, none: 0 };
  for (const item of fixes) counts[verdict(item)] += 1;
  byId("progress").textContent = `${number(counts.accept)} accepted, ${number(counts.reject)} rejected, ${number(counts.none)} undecided`;
  byId("count").textContent = shown.length === fixes.length ? counted(fixes.length) : `${number(shown.length)} of ${counted(fixes.length)}`;
  byId("undo").disabled = history.length === 0;
  const saving = plan.project ? "Show the command" : "Save decisions.json";
  byId("save").textContent = unsaved && !plan.project ? `${saving} *` : saving;
  for (const id of ["accept-shown", "reject-shown", "clear-shown"]) byId(id).disabled = shown.length === 0;
}

// ---- diffs ----

const narrow = matchMedia("(max-width: 44rem)");

function drawDiff(item) {
  const hunks = item.fix.hunks || [];
  if (hunks.length === 0) return element("p", { class: "terms faint" }, "This change comes with another fix of the same file, which shows both.");
  const table = element("table", { class: "diff" });
  const caption = element("caption", { class: "vh" }, `What changes in ${item.file.path}`);
  const columns = narrow.matches ? ["no", "sign", ""] : ["no", "sign", "", "no", "sign", ""];
  table.append(caption, element("colgroup", {}, ...columns.map((name) => element("col", { class: name }))));
  const body = element("tbody");
  hunks.forEach((hunk, at) => {
    if (at > 0 || hunk.path) body.append(element("tr", { class: "gap" }, element("td", { colspan: columns.length }, hunk.path || "...")));
    for (const row of narrow.matches ? unified(rows(hunk)) : rows(hunk)) body.append(row.length === 1 ? line(row[0]) : pair(row[0], row[1]));
  });
  table.append(body);
  return table;
}

// Rows of a hunk: the line before and the line after, with their numbers and marked words.
function rows(hunk) {
  const made = [];
  let old = hunk.old;
  let fresh = hunk.new;
  let removed = [];
  let added = [];
  const flush = () => {
    const marks = words(removed.map((one) => one.text), added.map((one) => one.text));
    removed.forEach((one, at) => (one.marks = marks[0][at]));
    added.forEach((one, at) => (one.marks = marks[1][at]));
    for (let at = 0; at < Math.max(removed.length, added.length); at += 1) made.push([removed[at] || null, added[at] || null]);
    removed = [];
    added = [];
  };
  for (const raw of hunk.lines) {
    const text = raw.slice(1);
    if (raw[0] === "-") {
      removed.push({ kind: "old", no: old, text });
      old += 1;
    } else if (raw[0] === "+") {
      added.push({ kind: "new", no: fresh, text });
      fresh += 1;
    } else {
      flush();
      made.push([{ kind: "", no: old, text }, { kind: "", no: fresh, text }]);
      old += 1;
      fresh += 1;
    }
  }
  flush();
  return made;
}

// The same one below the other, for narrow screens.
function unified(pairs) {
  const made = [];
  let added = [];
  for (const [left, right] of pairs) {
    if (left && left.kind === "") {
      made.push(...added, [left]);
      added = [];
    } else {
      if (left) made.push([left]);
      if (right) added.push([right]);
    }
  }
  return made.concat(added);
}

function cells(one, half) {
  const side = half ? " half" : "";
  if (!one) return [element("td", { class: "no none" + side }), element("td", { class: "sign none" }), element("td", { class: "none" })];
  const sign = { old: "-", new: "+", "": "" }[one.kind];
  const word = { old: "removed: ", new: "added: ", "": "" }[one.kind];
  const text = element("td", { class: one.kind });
  if (word) text.append(element("span", { class: "vh" }, word));
  text.append(...coloured(one));
  return [element("td", { class: `no ${one.kind}${side}` }, String(one.no)), element("td", { class: `sign ${one.kind}`, "aria-hidden": "true" }, sign), text];
}

function pair(left, right) {
  return element("tr", {}, ...cells(left, false), ...cells(right, true));
}

function line(one) {
  return element("tr", {}, ...cells(one, false));
}

// Which characters of the lines were removed and added, by words over all of the lines: two RUNs that are
// joined are not two lines that changed.
function words(removed, added) {
  const split = (lines) => lines.flatMap((text, at) => (text.match(/[A-Za-z0-9_]+|\s+|./gu) || []).map((word) => ({ word, at })));
  const [left, right] = [split(removed), split(added)];
  const marks = [removed.map(() => []), added.map(() => [])];
  if (left.length === 0 || right.length === 0 || left.length * right.length > 1e6) return marks;
  const width = right.length + 1;
  const table = new Uint16Array((left.length + 1) * width);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      table[i * width + j] =
        left[i].word === right[j].word ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  const places = [removed.map(() => 0), added.map(() => 0)];
  const step = (side, { word, at }, changed) => {
    if (changed && word.trim() !== "") marks[side][at].push([places[side][at], places[side][at] + word.length]);
    places[side][at] += word.length;
  };
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i].word === right[j].word) {
      step(0, left[i], false);
      step(1, right[j], false);
      i += 1;
      j += 1;
    } else if (j >= right.length || (i < left.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
      step(0, left[i], true);
      i += 1;
    } else {
      step(1, right[j], true);
      j += 1;
    }
  }
  return marks;
}

const PATTERNS = [
  ["c", /^\s*#.*/y],
  ["k", /^\s*(?:FROM|RUN|CMD|LABEL|MAINTAINER|EXPOSE|ENV|ADD|COPY|ENTRYPOINT|VOLUME|USER|WORKDIR|ARG|ONBUILD|STOPSIGNAL|HEALTHCHECK|SHELL)\b/iy],
  ["s", /"(?:[^"\\]|\\.)*"|'[^']*'/y],
  ["v", /\$\{[^}]*\}|\$[A-Za-z_][A-Za-z0-9_]*/y],
  ["f", /(?<=\s)--?[A-Za-z][\w-]*/y],
  ["k", /&&|\|\||[|;]|\\$/y],
];

// A line with its syntax and its marks, as elements.
function coloured({ text, marks, kind }) {
  const classes = new Array(text.length).fill("");
  let at = 0;
  while (at < text.length) {
    let length = 1;
    for (const [name, pattern] of PATTERNS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found && found[0].length > 0) {
        length = found[0].length;
        classes.fill(name, at, at + length);
        break;
      }
    }
    at += length;
  }
  const marked = new Uint8Array(text.length);
  for (const [start, end] of marks || []) marked.fill(1, start, end);
  const made = [];
  let start = 0;
  for (let end = 1; end <= text.length; end += 1) {
    if (end < text.length && classes[end] === classes[start] && marked[end] === marked[start]) continue;
    const piece = text.slice(start, end);
    const inner = classes[start] ? element("span", { class: classes[start] }, piece) : piece;
    made.push(marked[start] ? element(kind === "old" ? "del" : "ins", {}, inner) : inner);
    start = end;
  }
  return made;
}

narrow.addEventListener("change", () => {
  for (const article of byId("list").getElementsByClassName("fix")) {
    const drawnDiff = article.querySelector(".diff");
    if (drawnDiff) drawnDiff.replaceWith(drawDiff(fixes[article.dataset.at]));
  }
});

// ---- keys ----

function go(to) {
  if (to < 0 || to >= shown.length) return;
  while (drawn <= to) drawMore();
  current = to;
  const article = byId("list").querySelector(`[data-at="${shown[to].at}"]`);
  article.focus({ preventScroll: true });
  article.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => go(current + 1),
  k: () => go(current - 1),
  a: () => one("accept"),
  r: () => one("reject"),
  u: () => one("none"),
  A: () => current >= 0 && decide(shownOf(shown[current].repository), "accept"),
  R: () => current >= 0 && decide(shownOf(shown[current].repository), "reject"),
  "]": () => current >= 0 && decide(alike(), "accept"),
  "[": () => current >= 0 && decide(alike(), "reject"),
  z: undo,
  s: save,
  "/": () => byId("text").focus(),
  "?": () => byId("help").showModal(),
};

function alike() {
  return shown.filter(({ fix }) => fix.transform === shown[current].fix.transform);
}

function one(decision) {
  if (current < 0) return;
  decide([shown[current]], decision);
  if (decision !== "none") go(current + 1);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// ---- beginning ----

drawTotals();
drawKinds();
drawTrouble();
for (const repository of plan.repositories) byId("repositories").append(element("option", { value: repository.name }));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("input", filter);
byId("filters").addEventListener("reset", () => setTimeout(filter));
byId("accept-shown").addEventListener("click", () => decide(shown, "accept"));
byId("reject-shown").addEventListener("click", () => decide(shown, "reject"));
byId("clear-shown").addEventListener("click", () => decide(shown, "none"));
byId("save").addEventListener("click", save);
byId("undo").addEventListener("click", undo);
byId("help-open").addEventListener("click", () => byId("help").showModal());
filter();
const observer = new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting) || drawn >= shown.length) return;
  drawMore();
  // Asked again, as it may still be in view.
  observer.unobserve(byId("more"));
  observer.observe(byId("more"));
}, { rootMargin: "1500px" });
observer.observe(byId("more"));
