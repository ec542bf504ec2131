// A heat map as what it is, a table: subject by failure type, each number a link to the failures it counts.
// data: {rows: [{name, total, href, cells: [{kind, count, share, href}]}]}
function heading(root, kinds) {
  const row = make("tr");
  const name = make("th", null, "Subject");
  name.scope = "col";
  const types = kinds.map((kind) => {
    const cell = make("th", "type");
    cell.scope = "col";
    cell.append(badge(root, kind));
    cell.title = LABELS[kind];
    return cell;
  });
  const total = make("th", "total", "All");
  total.scope = "col";
  row.append(name, ...types, total);
  return row;
}

// Where the heads are icons alone; who cannot see them hears the words of the heads.
function legend(root, kinds) {
  const node = make("div", "legend");
  node.setAttribute("aria-hidden", "true");
  node.append(...kinds.map((kind) => badge(root, kind)));
  return node;
}

function linkTo(href, count, what) {
  const link = make("a", null, count);
  link.href = href;
  link.dataset.id = href;
  link.setAttribute("aria-label", `${what}: ${count} ${count === "1" ? "failure" : "failures"}`);
  return link;
}

function cellOf(root, row, cell) {
  const node = make("td", cell.href ? null : "none");
  if (!cell.href) {
    node.append(make("span", null, "·"));
    return node;
  }
  const link = linkTo(cell.href, cell.count, `${row.name}, ${LABELS[cell.kind]}`);
  link.style.setProperty("--tone", colourOf(root, cell.kind));
  // Weak enough at its strongest for the number on it to be read in the dark: 4.5 to 1.
  link.style.setProperty("--strength", `${10 + 32 * cell.share}%`);
  node.append(link);
  return node;
}

function rowOf(root, row) {
  const node = make("tr");
  const name = breakable(make("th", "name"), row.name);
  name.scope = "row";
  name.title = row.name;
  const total = make("td", "total");
  total.append(linkTo(row.href, row.total, row.name));
  node.append(name, ...row.cells.map((cell) => cellOf(root, row, cell)), total);
  return node;
}

export default function (component) {
  const { data, parentElement: root } = component;
  const scroll = root.querySelector(".scroll");
  const focused = root.activeElement?.dataset.id;
  const table = make("table");
  const kinds = data.rows[0]?.cells.map((cell) => cell.kind) ?? [];
  table.append(heading(root, kinds), ...data.rows.map((row) => rowOf(root, row)));
  scroll.replaceChildren(table, legend(root, kinds));
  // A refresh must not take the place of who reads by keyboard.
  if (focused) table.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  table.onclick = travel;
}
