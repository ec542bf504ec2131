// Columns over time, stacked by type; each part a link. One stop of the Tab key: the arrows lead from mark to mark.
// data: {columns: [{id, label, title, executions, failures, href, parts: [{kind, count, href}]}]}
const NUMBER = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

// The step of the grid: 1, 2 or 5 times a power of ten, three lines at most below the highest column.
function stepOf(highest) {
  const rough = Math.max(1, highest / 3);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10);
}

function drawGrid(grid, highest, step) {
  const lines = [];
  for (let value = 0; value <= highest; value += step) {
    const line = make("div", "line");
    line.style.bottom = `${(100 * value) / highest}%`;
    line.append(make("span", "tick", SHORT.format(value)));
    lines.push(line);
  }
  grid.replaceChildren(...lines);
}

function mark(root, column, part, highest, at) {
  const link = make("a", "part");
  link.href = part.href;
  link.dataset.id = `${column.id} ${part.kind}`;
  link.dataset.column = at;
  link.tabIndex = -1;
  link.style.setProperty("--tone", colourOf(root, part.kind));
  link.style.height = `${(100 * part.count) / highest}%`;
  link.setAttribute("aria-label", `${column.title} UTC: ${NUMBER.format(part.count)} ${LABELS[part.kind]}`);
  return link;
}

function drawMarks(root, marks, columns, highest) {
  const every = Math.ceil(columns.length / 8);
  marks.classList.toggle("dense", columns.length > 16);
  marks.replaceChildren(
    ...columns.map((column, at) => {
      const node = make("div", "column");
      node.dataset.column = at;
      node.append(...column.parts.map((part) => mark(root, column, part, highest, at)));
      // Counted from the newest, which is the one that must have its label.
      const back = columns.length - 1 - at;
      if (back % every === 0) node.append(make("span", back % (2 * every) ? "label second" : "label", column.label));
      return node;
    }),
  );
}

function fillTip(root, tip, column) {
  const facts = column.parts.map((part) => {
    const line = make("div", "fact");
    line.append(badge(root, part.kind), make("b", null, NUMBER.format(part.count)));
    return line;
  });
  const words = `${NUMBER.format(column.failures)} of ${NUMBER.format(column.executions)} executions failed`;
  tip.replaceChildren(make("div", "faint", `${column.title} UTC`), ...facts, make("div", null, words));
}

// Beside the column, on the side where there is more room.
function showTip(root, tip, columns, node) {
  if (!node) return void (tip.hidden = true);
  fillTip(root, tip, columns[Number(node.dataset.column)]);
  tip.hidden = false;
  const [plot, place] = [tip.parentElement, node].map((each) => each.getBoundingClientRect());
  const [before, after] = [place.left - plot.left, place.right - plot.left];
  const left = plot.width - after > before ? after + 10 : before - tip.offsetWidth - 10;
  tip.style.left = `${Math.max(-30, Math.min(left, plot.width - tip.offsetWidth))}px`;
}

// Left and right to the next column that has failures, up and down within one.
function neighbour(links, current, key) {
  const at = links.indexOf(current);
  if (key === "Home") return links[0];
  if (key === "End") return links.at(-1);
  if (key === "ArrowUp" || key === "ArrowDown") {
    const next = links[at + (key === "ArrowUp" ? 1 : -1)];
    return next?.dataset.column === current.dataset.column ? next : current;
  }
  if (key === "ArrowRight") return links.find((link, place) => place > at && link.dataset.column !== current.dataset.column);
  if (key === "ArrowLeft") {
    const before = links.slice(0, at).findLast((link) => link.dataset.column !== current.dataset.column);
    return before && links.find((link) => link.dataset.column === before.dataset.column);
  }
  return undefined;
}

function stopAt(links, chosen) {
  for (const link of links) link.tabIndex = link === chosen ? 0 : -1;
}

function tableOf(root, columns) {
  const kinds = KINDS.filter((kind) => columns.some((column) => column.parts.some((part) => part.kind === kind)));
  const table = make("table");
  const top = make("tr");
  for (const words of ["Time, UTC", ...kinds.map((kind) => badge(root, kind)), "Failures", "Executions"]) {
    const cell = make("th");
    cell.append(words);
    cell.title = cell.textContent;
    cell.scope = "col";
    top.append(cell);
  }
  table.append(top, ...columns.filter((column) => column.executions).map((column) => tableRow(column, kinds)));
  return table;
}

function tableRow(column, kinds) {
  const row = make("tr");
  const name = make("th", null, column.title);
  name.scope = "row";
  const counts = kinds.map((kind) => column.parts.find((part) => part.kind === kind));
  const total = column.failures ? { count: column.failures, href: column.href } : undefined;
  row.append(name, ...[...counts, total].map(numberCell), make("td", null, NUMBER.format(column.executions)));
  return row;
}

function numberCell(part) {
  const cell = make("td", part ? null : "faint", part ? null : "0");
  if (part) {
    const link = make("a", null, NUMBER.format(part.count));
    link.href = part.href;
    link.dataset.id = `table ${part.href}`;
    cell.append(link);
  }
  return cell;
}

export default function (component) {
  const { data, parentElement: root } = component;
  const [chart, plot, tip] = [".chart", ".plot", ".tip"].map((name) => root.querySelector(name));
  const [details, scroll] = [root.querySelector("details"), root.querySelector("details .scroll")];
  const focused = root.activeElement?.dataset.id;
  const most = Math.max(1, ...data.columns.map((column) => column.failures));
  const step = stepOf(most);
  const highest = Math.ceil(most / step) * step;
  plot.setAttribute("aria-label", "Failures over time by type; the arrow keys lead from one to the next");
  drawGrid(root.querySelector(".grid"), highest, step);
  drawMarks(root, root.querySelector(".marks"), data.columns, highest);

  const links = [...plot.querySelectorAll("a")];
  stopAt(links, links.find((link) => link.dataset.id === focused) ?? links.at(-1));
  const fillTable = () => scroll.replaceChildren(...(details.open ? [tableOf(root, data.columns)] : []));
  details.ontoggle = fillTable;
  fillTable();

  const show = (node) => showTip(root, tip, data.columns, node);
  plot.onmouseover = (event) => show(event.target.closest("[data-column]"));
  plot.onmouseleave = () => show(null);
  for (const link of links) {
    link.onfocus = () => {
      stopAt(links, link);
      show(link);
    };
    link.onblur = () => show(null);
  }
  plot.onkeydown = (event) => {
    const next = neighbour(links, event.target, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  chart.onclick = travel;
  // A refresh must not take the place of who reads by keyboard.
  if (focused) chart.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
