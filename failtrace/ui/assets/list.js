// A list of links. data: {columns: [{key, label, kind, width, hide}], rows: [{id, href, cells: {…}}], empty}
function cell(root, column, value) {
  const node = make("span", `cell is-${column.kind}${column.hide ? " hide" : ""}`);
  node.setAttribute("role", "cell");
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
  node.setAttribute("role", "row");
  for (const column of columns) {
    const label = make("span", `cell is-${column.kind}${column.hide ? " hide" : ""}`, column.label);
    label.setAttribute("role", "columnheader");
    node.append(label);
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
    link.setAttribute("role", "row");
    link.href = row.href;
    link.dataset.id = row.id;
    for (const column of data.columns) link.append(cell(root, column, row.cells[column.key]));
    return link;
  });
  table.replaceChildren(head(data.columns), ...rows);
  table.onclick = travel;
}
