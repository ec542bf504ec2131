// A list of links. data: {columns: [{key, label, kind, width, hide}], rows: [{id, href, cells: {…}}], pick}
// pick: {question, total, ids, everything} where rows can be selected. The selection lives here while the question stays
// the same; what data says of it is where it begins. Up, Down, j and k walk, Enter opens, Space selects.
const MOST_PICKED = 1000;
const REFRESH_MS = 20000;

function cell(root, column, value) {
  const node = make("span", `cell is-${column.kind}${column.hide ? " hide" : ""}`);
  node.dataset.label = column.label;
  if (value === null || value === undefined || value === "") node.textContent = column.kind === "badge" ? "" : "–";
  else if (column.kind === "badge") node.append(badge(root, value));
  else if (column.kind === "time") node.append(when(value));
  else {
    node.textContent = value;
    if (column.kind === "number") return node;
    node.title = value;
    node.dir = "auto";
  }
  return node;
}

function box(label) {
  const frame = make("label", "box");
  const input = make("input");
  input.type = "checkbox";
  input.setAttribute("aria-label", label);
  frame.append(input);
  return frame;
}

function head(data) {
  const node = make("div", "item head");
  if (data.pick) node.append(box("Select all on this page"));
  const titles = make("div", "row");
  titles.setAttribute("aria-hidden", "true");
  for (const column of data.columns) {
    titles.append(make("span", `cell is-${column.kind}${column.hide ? " hide" : ""}`, column.label));
  }
  node.append(titles);
  return node;
}

function item(root, data, row) {
  const node = make("div", "item");
  node.setAttribute("role", "listitem");
  node.dataset.id = row.id;
  const link = make(row.href ? "a" : "div", "row");
  if (row.href) link.href = row.href;
  link.tabIndex = -1;
  for (const column of data.columns) link.append(cell(root, column, row.cells[column.key]));
  if (data.pick) {
    const tick = box(`Select ${row.cells[data.columns[1].key]}`);
    tick.firstChild.tabIndex = -1;
    link.setAttribute("aria-keyshortcuts", "Space");
    node.append(tick);
  }
  node.append(link);
  return node;
}

function bar(state, ids) {
  const node = make("div", "bar");
  node.setAttribute("role", "status");
  const { picked, total } = state;
  const said = picked.everything ? `All ${total.toLocaleString("en")} that match are selected` : `${picked.ids.size.toLocaleString("en")} selected`;
  node.append(make("span", null, said));
  const button = (label, act) => {
    const made = make("button", "plain", label);
    made.type = "button";
    made.dataset.act = act;
    node.append(made);
  };
  if (!picked.everything && total > ids.length) button(`Select all ${total.toLocaleString("en")} that match`, "all");
  button("Clear", "clear");
  return node;
}

// Where a reader left the list stays with that entry of the browser's history: Back returns to the same row, at the
// same height.
function leave(link) {
  const node = link.closest(".item");
  const place = { id: node.dataset.id, top: node.getBoundingClientRect().top };
  history.replaceState({ ...history.state, failtrace: place }, "");
}

function scroller(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  }
  return document.scrollingElement;
}

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  const table = root.querySelector(".list");
  const first = !table.failtrace;
  const state = (table.failtrace ??= {});
  const ids = data.rows.map((row) => row.id);
  const items = () => [...table.querySelectorAll(".item[data-id]")];
  const find = (id) => items().find((node) => node.dataset.id === id);

  if (data.pick && state.question !== data.pick.question) {
    state.question = data.pick.question;
    state.picked = { ids: new Set(data.pick.ids), everything: data.pick.everything };
  }
  state.total = data.pick?.total;

  function current() {
    return root.activeElement?.closest(".item[data-id]");
  }

  // One stop of the Tab key for the whole list: at the row where the reader is.
  function aim(id) {
    state.at = ids.includes(id) ? id : ids[0];
    for (const node of items()) node.querySelector(".row").tabIndex = node.dataset.id === state.at ? 0 : -1;
  }

  function draw() {
    const shown = JSON.stringify([data.columns, data.rows]);
    if (state.shown === shown) return;
    const focused = current()?.dataset.id;
    const turned = !first && state.ids && !ids.some((id) => state.ids.includes(id));
    state.shown = shown;
    state.ids = ids;
    const template = (columns) => columns.map((column) => column.width ?? "minmax(0, 1fr)").join(" ");
    table.style.setProperty("--wide", template(data.columns));
    table.style.setProperty("--narrow", template(data.columns.filter((column) => !column.hide)));
    const rows = make("div", "rows");
    rows.setAttribute("role", "list");
    rows.append(...data.rows.map((row) => item(root, data, row)));
    table.replaceChildren(head(data), rows);
    table.classList.toggle("picks", Boolean(data.pick));
    aim(state.at);
    // A refresh must not take the place of who reads by keyboard.
    if (focused) find(focused)?.querySelector(".row").focus({ preventScroll: true });
    if (turned && table.getBoundingClientRect().top < 0) table.scrollIntoView({ block: "start" });
  }

  function paint() {
    if (!data.pick) return;
    const { picked } = state;
    const isPicked = (id) => picked.everything || picked.ids.has(id);
    for (const node of items()) {
      const ticked = isPicked(node.dataset.id);
      node.classList.toggle("picked", ticked);
      node.querySelector("input").checked = ticked;
    }
    const here = ids.filter(isPicked).length;
    const all = table.querySelector(".head input");
    all.checked = here > 0 && here === ids.length;
    all.indeterminate = here > 0 && here < ids.length;
    table.querySelector(".bar")?.remove();
    if (picked.everything || picked.ids.size) table.querySelector(".head").append(bar(state, ids));
  }

  function say() {
    paint();
    setStateValue("picked", { question: state.question, ids: [...state.picked.ids], everything: state.picked.everything });
  }

  function pick(wanted, ticked) {
    const { picked } = state;
    if (picked.everything) state.picked = { ids: new Set(ids), everything: false };
    for (const id of wanted) {
      if (!ticked) state.picked.ids.delete(id);
      else if (state.picked.ids.size < MOST_PICKED) state.picked.ids.add(id);
    }
    say();
  }

  function walk(to) {
    const node = items()[to];
    if (!node) return;
    aim(node.dataset.id);
    node.querySelector(".row").focus();
    node.scrollIntoView({ block: "nearest" });
  }

  function goBackToPlace() {
    const place = history.state?.failtrace;
    const node = place && find(place.id);
    if (!node) return;
    aim(place.id);
    node.classList.add("left");
    node.querySelector(".row").focus({ preventScroll: true });
    scroller(table).scrollTop += node.getBoundingClientRect().top - place.top;
  }

  function step(event) {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const here = items().indexOf(current());
    const moves = { ArrowDown: here + 1, j: here + 1, ArrowUp: here - 1, k: here - 1, Home: 0, End: ids.length - 1 };
    if (here >= 0 && event.key in moves) walk(moves[event.key]);
    else if (here >= 0 && event.key === " " && data.pick) pick([ids[here]], !items()[here].classList.contains("picked"));
    else return;
    event.preventDefault();
  }

  // From anywhere on the page: j and k go into the list that is the page's own.
  function enter(event) {
    if (!data.pick || !["j", "k"].includes(event.key) || event.metaKey || event.ctrlKey || event.altKey) return;
    if (document.activeElement && document.activeElement !== document.body) return;
    event.preventDefault();
    walk(Math.max(0, ids.indexOf(state.at)));
  }

  draw();
  paint();
  if (first) requestAnimationFrame(goBackToPlace);
  table.onkeydown = step;
  table.onfocusin = (event) => aim(event.target.closest(".item[data-id]")?.dataset.id ?? state.at);
  table.onchange = (event) => {
    const node = event.target.closest(".item");
    pick(node.dataset.id ? [node.dataset.id] : ids, event.target.checked);
  };
  table.onclick = (event) => {
    const act = event.target.dataset.act;
    if (act) {
      state.picked = { ids: new Set(), everything: act === "all" };
      say();
      return;
    }
    const link = event.target.closest("a.row");
    if (link) leave(link);
    travel(event);
  };
  document.addEventListener("keydown", enter);
  const ageing = setInterval(() => table.querySelectorAll("time").forEach(tell), REFRESH_MS);
  return () => {
    document.removeEventListener("keydown", enter);
    clearInterval(ageing);
  };
}
