// A list of links. data: {columns: [{key, label, kind, width, hide}], rows: [{id, href, cells: {…}}], empty}
function cell(root, column, value) {
  const node = make("span", `cell is-${column.kind}${column.hide ? " hide" : ""}`);
  node.dataset.label = column.label;
  if (value === null || value === undefined || value === "") node.textContent = column.kind === "badge" ? "" : "–";
  else if (column.kind === "badge") node.append(badge(root, value));
  else if (column.kind === "time") node.append(when(value));
  else {
    node.textContent = value;
    if (column.kind !== "number") node.title = value;
  }
  return node;
}

function head(columns) {
  const node = make("div", "row head");
  node.setAttribute("aria-hidden", "true");
  for (const column of columns) {
    node.append(make("span", `cell is-${column.kind}${column.hide ? " hide" : ""}`, column.label));
  }
  return node;
}

export default function (component) {
  const { data, parentElement: root } = component;
  const table = root.querySelector(".list");
  const template = (columns) => columns.map((column) => column.width ?? "minmax(0, 1fr)").join(" ");
  table.style.setProperty("--wide", template(data.columns));
  table.style.setProperty("--narrow", template(data.columns.filter((column) => !column.hide)));
  const rows = data.rows.map((row) => {
    const link = make("a", "row");
    link.href = row.href;
    link.dataset.id = row.id;
    for (const column of data.columns) link.append(cell(root, column, row.cells[column.key]));
    const item = make("div");
    item.setAttribute("role", "listitem");
    item.append(link);
    return item;
  });
  const focused = root.activeElement?.dataset.id;
  table.replaceChildren(head(data.columns), ...rows);
  // A refresh must not take the place of who reads by keyboard.
  if (focused) table.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  table.onclick = travel;
}
