// The steps on one time axis. data: {ids, names, kinds, depths, starts, durations, marks, titles, total_ms, selected}
// Arrays run in parallel, in reading order; a mark is "", "error", "open"; `selected` is chosen at first.
// Only rows in view exist in the document.
const ROW = 30;

function spell(milliseconds) {
  if (milliseconds < 1) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return milliseconds < 60000 ? `${(milliseconds / 1000).toFixed(2)} s` : `${(milliseconds / 60000).toFixed(1)} min`;
}

function visibleRows(data, closed) {
  const rows = [];
  let hiddenBelow = Infinity;
  for (let at = 0; at < data.ids.length; at++) {
    const depth = data.depths[at];
    if (depth > hiddenBelow) continue;
    hiddenBelow = closed.has(data.ids[at]) ? depth : Infinity;
    rows.push(at);
  }
  return rows;
}

function buildRow(data, at, state) {
  const row = make("div", `step ${data.marks[at]}`);
  const id = data.ids[at];
  row.id = `step-${id}`;
  row.dataset.at = at;
  row.setAttribute("role", "treeitem");
  row.setAttribute("aria-level", data.depths[at] + 1);
  row.setAttribute("aria-selected", String(state.selected === id));
  row.title = data.titles[at];
  const name = make("span", "name");
  name.style.paddingLeft = `${Math.min(data.depths[at], 12) * 0.9}rem`;
  const parent = data.depths[at + 1] > data.depths[at];
  const twist = make("span", parent ? "twist" : "twist leaf", parent ? (state.closed.has(id) ? "▸" : "▾") : "");
  if (parent) row.setAttribute("aria-expanded", String(!state.closed.has(id)));
  name.append(twist, make("span", "label", data.names[at]), make("span", "kind", data.kinds[at]));
  const track = make("span", "track");
  const bar = make("span", "bar");
  const total = data.total_ms || 1;
  bar.style.left = `${Math.min(99.6, Math.max(0, (100 * data.starts[at]) / total))}%`;
  bar.style.width = `max(3px, ${Math.min(100, (100 * data.durations[at]) / total)}%)`;
  track.append(bar);
  const mark = make("span", "mark");
  if (data.marks[at]) mark.append(icon(data.marks[at] === "open" ? "timeout" : "exception"));
  row.append(name, track, mark, make("span", "took", spell(data.durations[at])));
  return row;
}

function drawAxis(axis, total) {
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => make("span", null, part ? spell(total * part) : "0"));
  axis.replaceChildren(...ticks);
}

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  const box = root.querySelector(".timeline");
  const pane = root.querySelector(".pane");
  const canvas = root.querySelector(".canvas");
  const state = (box.failtrace ??= { closed: new Set() });
  state.selected ??= data.selected;
  let rows = visibleRows(data, state.closed);
  box.style.setProperty("--error", colourOf(root, "exception"));
  box.style.setProperty("--open", colourOf(root, "timeout"));
  drawAxis(root.querySelector(".axis"), data.total_ms);

  function draw() {
    const first = Math.max(0, Math.floor(pane.scrollTop / ROW) - 6);
    const last = Math.min(rows.length, Math.ceil((pane.scrollTop + pane.clientHeight) / ROW) + 6);
    canvas.style.height = `${rows.length * ROW}px`;
    canvas.replaceChildren(
      ...rows.slice(first, last).map((at, offset) => {
        const row = buildRow(data, at, state);
        row.style.top = `${(first + offset) * ROW}px`;
        return row;
      }),
    );
    pane.setAttribute("aria-activedescendant", `step-${state.selected ?? ""}`);
  }

  function reveal() {
    const at = rows.findIndex((row) => data.ids[row] === state.selected);
    if (at < 0) return;
    const top = at * ROW;
    if (top < pane.scrollTop || top + ROW > pane.scrollTop + pane.clientHeight)
      pane.scrollTop = Math.max(0, top - pane.clientHeight / 2);
  }

  function choose(at) {
    state.selected = data.ids[at];
    reveal();
    draw();
    setStateValue("selected", state.selected);
  }

  function toggle(at) {
    const id = data.ids[at];
    if (!state.closed.delete(id)) state.closed.add(id);
    rows = visibleRows(data, state.closed);
    draw();
  }

  pane.onscroll = () => requestAnimationFrame(draw);
  canvas.onclick = (event) => {
    const row = event.target.closest(".step");
    if (!row) return;
    const at = Number(row.dataset.at);
    if (event.target.matches(".twist:not(.leaf)")) toggle(at);
    else choose(at);
  };
  pane.onkeydown = (event) => {
    const here = rows.findIndex((row) => data.ids[row] === state.selected);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined && rows[to] !== undefined) choose(rows[to]);
    else if (here >= 0 && event.key === "ArrowLeft" && !state.closed.has(state.selected)) toggle(rows[here]);
    else if (here >= 0 && event.key === "ArrowRight" && state.closed.has(state.selected)) toggle(rows[here]);
    else return;
    event.preventDefault();
  };
  draw();
  reveal();
  draw();
  const resized = new ResizeObserver(draw);
  resized.observe(pane);
  return () => resized.disconnect();
}
