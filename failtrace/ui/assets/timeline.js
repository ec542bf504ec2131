// The steps on one time axis, as a tree. data: parallel arrays in reading order, see `steps.timeline_data`:
// {ids (16 hex digits each, joined), names, name (index), kinds, kind (index), depths, starts, durations, marks,
//  total_ms, selected, failing, failure (its type)}. A mark is 0 none, 1 error, 2 open at the deadline, 3 open when its parent ended,
// 4 open when the process died. Only rows in view exist in the document.
const ROW = 30;
const FOLD_BEYOND = 60;
// Pixels that the label at the axis's end and another one before it need.
const END = 96;
const MARKS = ["", "error", "open", "open", "error"];
const ENDED = ["", "failed", "was open at the deadline", "was open when its parent ended", "was open when the process died"];
const STATUSES = { all: "All steps", failed: "Failed", open: "Never ended" };
// 16 x 16 outlines, one for each kind of step.
const KIND_ICONS = {
  agent: "M8 2v2M4 5h8v7H4zM6.3 8v.8M9.7 8v.8M2 8v2M14 8v2",
  llm: "M3 3h10v7H7.5L5 12.5V10H3z",
  tool: "M10 3a3 3 0 0 0-2.6 4.4L3 11.8 4.2 13l4.4-4.4A3 3 0 0 0 13 6l-2 1.4L9 6l1.2-2.2z",
  retrieval: "M7 3a4 4 0 1 1 0 8a4 4 0 1 1 0-8M10 10l3.5 3.5",
  embedding: "M3 3h2v2H3zM7 3h2v2H7zM11 3h2v2h-2zM3 7h2v2H3zM7 7h2v2H7zM11 7h2v2h-2zM3 11h2v2H3zM7 11h2v2H7z",
  chain: "M6.5 9.5l3-3M7 5l1.5-1.5a2.5 2.5 0 0 1 4 4L11 9M9 11l-1.5 1.5a2.5 2.5 0 0 1-4-4L5 7",
  evaluator: "M3 12h10M4 9l2.5-4L9 9zM12 4v5",
  guardrail: "M8 2.5l5 2v4c0 3-2 4.5-5 5.5c-3-1-5-2.5-5-5.5v-4z",
  step: "M5 3.5v9M5 8h6M9 6l2 2-2 2",
};

function kindIcon(kind) {
  const svg = icon("passed");
  svg.firstChild.setAttribute("d", KIND_ICONS[kind] ?? KIND_ICONS.step);
  return svg;
}

// A place on the axis: a round number, so that it needs no more digits than it has.
function spellTick(milliseconds) {
  if (milliseconds === 0) return "0";
  if (milliseconds < 1000) return `${Number(milliseconds.toPrecision(2))} ms`;
  return milliseconds < 60000 ? `${Number((milliseconds / 1000).toFixed(2))} s` : `${Number((milliseconds / 60000).toFixed(1))} min`;
}

// 1, 2 or 5 times a power of ten, so that about `wanted` ticks stand on the axis.
function tickSize(span, wanted) {
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
}

function ticksOf(from, to, wanted) {
  const span = to - from;
  if (!(span > 0)) return [0];
  const size = tickSize(span, wanted);
  const found = [];
  for (let at = 0; at * size <= span * 0.96 && at < 20; at++) found.push(at * size);
  return found;
}

class Tree {
  constructor(data) {
    this.data = data;
    this.count = data.name.length;
    this.idOf = (at) => data.ids.slice(at * 16, at * 16 + 16);
    this.parents = new Int32Array(this.count);
    this.ends = new Int32Array(this.count);
    const open = [];
    for (let at = 0; at < this.count; at++) {
      while (open.length && data.depths[open.at(-1)] >= data.depths[at]) this.ends[open.pop()] = at;
      this.parents[at] = open.length ? open.at(-1) : -1;
      open.push(at);
    }
    for (const at of open) this.ends[at] = this.count;
  }
  at(id) {
    for (let at = 0; at < this.count; at++) if (this.data.ids.startsWith(id, at * 16)) return at;
    return -1;
  }
  size(at) {
    return this.ends[at] - at - 1;
  }
  ancestors(at) {
    const found = [];
    for (let up = this.parents[at]; up >= 0; up = this.parents[up]) found.push(up);
    return found;
  }
}

// A large record opens with the way to the failing step, and to the chosen one, unfolded, and the rest folded.
function foldedAtFirst(tree, keep) {
  const closed = new Set();
  if (tree.count <= FOLD_BEYOND) return closed;
  const open = new Set(keep.flatMap((at) => (at < 0 ? [] : [at, ...tree.ancestors(at)])));
  for (let at = 0; at < tree.count; at++) {
    if (tree.size(at) && tree.data.depths[at] > 0 && !open.has(at)) closed.add(at);
  }
  return closed;
}

function matching(tree, filter) {
  const text = filter.text.trim().toLowerCase();
  if (!text && !filter.kind && filter.status === "all") return null;
  const { data } = tree;
  const names = data.names.map((name) => name.toLowerCase().includes(text));
  const kind = data.kinds.indexOf(filter.kind);
  const found = new Set();
  for (let at = 0; at < tree.count; at++) {
    const mark = MARKS[data.marks[at]];
    if (!names[data.name[at]] || (filter.kind && data.kind[at] !== kind)) continue;
    if (filter.status === "failed" && mark !== "error") continue;
    if (filter.status === "open" && data.marks[at] < 2) continue;
    found.add(at);
  }
  return found;
}

function visibleRows(tree, state, found) {
  const shown = found && new Set([...found].flatMap((at) => [at, ...tree.ancestors(at)]));
  const rows = [];
  for (let at = state.zoom; at < (state.zoom ? tree.ends[state.zoom] : tree.count); at++) {
    if (shown && !shown.has(at)) continue;
    rows.push(at);
    if (!shown && state.closed.has(at)) at = tree.ends[at] - 1;
  }
  return rows;
}

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  const box = root.querySelector(".timeline");
  const pane = root.querySelector(".pane");
  const canvas = root.querySelector(".canvas");
  const find = root.querySelector(".find");
  const kindChoice = root.querySelector(".kinds");
  const statusChoice = root.querySelector(".statuses");
  const told = root.querySelector(".told");
  const jump = root.querySelector(".jump");
  if (box.failtrace?.record !== data.record) box.failtrace = null;
  const state = (box.failtrace ??= { record: data.record, tree: new Tree(data), zoom: 0, filter: { text: "", kind: "", status: "all" } });
  const { tree } = state;
  const failing = data.failing ? tree.at(data.failing) : -1;
  if (state.given !== data.selected) state.selected = data.selected ? tree.at(data.selected) : -1;
  state.given = data.selected;
  state.closed ??= foldedAtFirst(tree, [failing, state.selected]);
  const onWayToFailing = new Set(failing < 0 ? [] : tree.ancestors(failing));
  let rows, first, last;

  function layout() {
    const found = matching(tree, state.filter);
    rows = visibleRows(tree, state, found);
    first = state.zoom ? data.starts[state.zoom] : 0;
    last = state.zoom ? first + Math.max(data.durations[state.zoom], 1e-6) : data.total_ms || 1;
    const steps = `${tree.count.toLocaleString("en")} step${tree.count === 1 ? "" : "s"}`;
    told.textContent = found ? `${found.size.toLocaleString("en")} of ${steps}` : steps;
    box.style.setProperty("--ticks", Math.max(2, Math.floor((pane.clientWidth * 0.4) / 64)));
    drawAxis();
    draw();
  }

  function drawAxis() {
    const axis = root.querySelector(".axis");
    const ticks = ticksOf(first, last, Math.max(2, Math.floor(axis.clientWidth / 72)));
    const told = ticks.filter((tick) => !tick || axis.clientWidth * (1 - tick / (last - first)) > END);
    axis.replaceChildren(
      ...told.map((tick) => {
        const node = make("span", "tick", spellTick(tick));
        node.style.left = `${(100 * tick) / (last - first)}%`;
        return node;
      }),
      make("span", "tick end", duration(last - first)),
    );
    // A line without its label would be read as that of the end.
    const size = told.length > 1 ? (100 * ticks[1]) / (last - first) : 100;
    canvas.style.setProperty("--tick", `${size}%`);
    root.querySelector(".whole").hidden = !state.zoom;
  }

  function buildRow(at, top) {
    const mark = MARKS[data.marks[at]];
    const name = data.names[data.name[at]];
    const kind = data.kinds[data.kind[at]];
    const row = make("div", ["step", mark, at === failing ? "failing" : "", onWayToFailing.has(at) ? "above" : ""].join(" ").trim());
    // Which did not err itself: it is marked as the failure is.
    if (at === failing && !mark) row.style.setProperty("--error", colourOf(root, data.failure));
    row.id = `step-${tree.idOf(at)}`;
    row.dataset.at = at;
    row.style.top = `${top}px`;
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", data.depths[at] + 1);
    row.setAttribute("aria-selected", String(state.selected === at));
    const ended = at === failing && !ENDED[data.marks[at]] ? "is what failed" : ENDED[data.marks[at]];
    const words = [`${name}, ${kind}`, duration(data.durations[at]), ended].filter(Boolean).join(" · ");
    row.title = words;
    row.setAttribute("aria-label", words);
    const label = make("span", "name");
    label.style.paddingLeft = `${Math.min(data.depths[at] - data.depths[state.zoom], 12) * 0.8}rem`;
    const folded = state.closed.has(at) && !matching(tree, state.filter);
    const twist = make("span", tree.size(at) ? "twist" : "twist leaf", tree.size(at) ? (folded ? "▸" : "▾") : "");
    if (tree.size(at)) row.setAttribute("aria-expanded", String(!folded));
    label.append(twist, kindIcon(kind), make("span", "label", name));
    if (folded && tree.size(at)) label.append(make("span", "count", `${tree.size(at).toLocaleString("en")} steps`));
    const track = make("span", "track");
    const bar = make("span", "bar");
    const from = Math.min(1, Math.max(0, (data.starts[at] - first) / (last - first)));
    const to = Math.min(1, Math.max(from, (data.starts[at] + data.durations[at] - first) / (last - first)));
    bar.style.left = `min(${100 * from}%, calc(100% - 3px))`;
    bar.style.width = `max(3px, ${100 * (to - from)}%)`;
    track.append(bar);
    const sign = make("span", "mark");
    if (mark || at === failing) sign.append(icon(mark === "open" ? "timeout" : mark ? "exception" : data.failure));
    row.append(label, track, sign, make("span", "took", duration(data.durations[at])));
    return row;
  }

  function draw() {
    const from = Math.max(0, Math.floor(pane.scrollTop / ROW) - 6);
    const to = Math.min(rows.length, Math.ceil((pane.scrollTop + pane.clientHeight) / ROW) + 6);
    canvas.style.height = `${rows.length * ROW}px`;
    canvas.replaceChildren(...rows.slice(from, to).map((at, offset) => buildRow(at, (from + offset) * ROW)));
    if (!rows.length) canvas.replaceChildren(make("p", "none", "No step matches."));
    pane.setAttribute("aria-activedescendant", state.selected < 0 ? "" : `step-${tree.idOf(state.selected)}`);
  }

  function reveal() {
    const top = rows.indexOf(state.selected) * ROW;
    if (top < 0) return;
    if (top < pane.scrollTop || top + ROW > pane.scrollTop + pane.clientHeight)
      pane.scrollTop = Math.max(0, top - pane.clientHeight / 2);
  }

  function choose(at) {
    if (at === undefined || at < 0) return;
    state.selected = at;
    const id = tree.idOf(at);
    reveal();
    draw();
    // In the address, so that a link opens this step; not a step of Back's way.
    const here = new URL(location.href);
    here.searchParams.set("step", id);
    history.replaceState(history.state, "", here);
    setStateValue("selected", id);
  }

  function toggle(at) {
    if (!tree.size(at)) return;
    if (!state.closed.delete(at)) state.closed.add(at);
    layout();
  }

  function zoomInto(at) {
    state.zoom = tree.size(at) ? at : 0;
    state.closed.delete(at);
    pane.scrollTop = 0;
    layout();
    reveal();
  }

  function toFailing() {
    for (const at of tree.ancestors(failing)) state.closed.delete(at);
    state.zoom = 0;
    Object.assign(state.filter, { text: "", kind: "", status: "all" });
    find.value = kindChoice.value = "";
    statusChoice.value = "all";
    layout();
    choose(failing);
  }

  function narrow() {
    Object.assign(state.filter, { text: find.value, kind: kindChoice.value, status: statusChoice.value });
    pane.scrollTop = 0;
    layout();
  }

  box.style.setProperty("--error", colourOf(root, "exception"));
  box.style.setProperty("--open", colourOf(root, "timeout"));
  const option = ([value, words]) => Object.assign(make("option", null, words), { value });
  if (!kindChoice.options.length) {
    kindChoice.append(...[["", "All kinds"], ...data.kinds.map((kind) => [kind, kind])].map(option));
    statusChoice.append(...Object.entries(STATUSES).map(option));
  }
  find.oninput = kindChoice.onchange = statusChoice.onchange = narrow;
  find.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      pane.focus();
      choose((matching(tree, state.filter) && rows.find((at) => matching(tree, state.filter).has(at))) ?? rows[0]);
    } else if (event.key === "Escape") {
      find.value = "";
      narrow();
    }
    event.stopPropagation();
  };
  jump.hidden = failing < 0;
  jump.onclick = toFailing;
  root.querySelector(".whole").onclick = () => zoomInto(0);
  pane.onscroll = () => requestAnimationFrame(draw);
  canvas.onclick = (event) => {
    const row = event.target.closest(".step");
    if (!row) return;
    const at = Number(row.dataset.at);
    if (event.target.matches(".twist:not(.leaf)")) toggle(at);
    else choose(at);
  };
  canvas.ondblclick = (event) => {
    const row = event.target.closest(".step");
    if (row && !event.target.matches(".twist")) zoomInto(Number(row.dataset.at));
  };
  pane.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = rows.indexOf(state.selected);
    const page = Math.max(1, Math.floor(pane.clientHeight / ROW) - 1);
    const to = {
      ArrowDown: here + 1, ArrowUp: Math.max(0, here - 1), Home: 0, End: rows.length - 1,
      PageDown: Math.min(rows.length - 1, here + page), PageUp: Math.max(0, here - page),
    }[event.key];
    const at = rows[here];
    if (to !== undefined) choose(rows[to]);
    else if (event.key === "ArrowLeft" && at !== undefined) {
      if (tree.size(at) && !state.closed.has(at)) toggle(at);
      else choose(tree.parents[at]);
    } else if (event.key === "ArrowRight" && at !== undefined) {
      if (state.closed.has(at)) toggle(at);
      else if (tree.size(at)) choose(at + 1);
    } else if (event.key === "Enter" && at !== undefined) zoomInto(at);
    else if (event.key === "Escape" && state.zoom) zoomInto(0);
    else if (event.key === "/") find.focus();
    else if (event.key === "f" && failing >= 0) toFailing();
    else return;
    event.preventDefault();
  };
  pane.style.height = `${Math.max(ROW, Math.min(420, tree.count * ROW))}px`;
  for (const at of state.selected < 0 ? [] : tree.ancestors(state.selected)) state.closed.delete(at);
  layout();
  reveal();
  draw();
  const resized = new ResizeObserver(layout);
  resized.observe(pane);
  return () => resized.disconnect();
}
