// Horizontal bars, one a row, each row a link where it counts failures.
// data: {head: [[words, what they mean], …], rows: [{id, kind | name, href, share, inner, cells: […], says}]}
function bar(root, row) {
  const track = make("span", "track");
  track.style.setProperty("--tone", row.kind ? colourOf(root, row.kind) : "var(--st-primary-color)");
  for (const name of ["share", "inner"]) {
    if (row[name] === undefined) continue;
    const piece = make("span", name);
    piece.style.width = `${100 * row[name]}%`;
    track.append(piece);
  }
  return track;
}

function rowOf(root, row) {
  const node = make(row.href ? "a" : "div", "row");
  node.dataset.id = row.id;
  if (row.href) node.href = row.href;
  const name = row.kind ? badge(root, row.kind) : make("span", "name", row.name);
  if (row.name) name.title = row.name;
  node.append(name, bar(root, row), ...row.cells.map((cell) => make("span", "number", cell)));
  node.setAttribute("aria-label", row.says);
  if (!row.href) node.setAttribute("role", "group");
  const item = make("div", "item");
  item.setAttribute("role", "listitem");
  item.append(node);
  return item;
}

function titled([words, meaning]) {
  const node = make("span", meaning ? "number meant" : "number", words);
  if (meaning) node.title = meaning;
  return node;
}

function headOf([[name], ...others]) {
  const node = make("div", "row head");
  node.setAttribute("aria-hidden", "true");
  node.append(make("span", null, name), make("span"), ...others.map(titled));
  return node;
}

export default function (component) {
  const { data, parentElement: root } = component;
  const bars = root.querySelector(".bars");
  const focused = root.activeElement?.dataset.id;
  bars.style.setProperty("--numbers", data.rows[0]?.cells.length ?? 0);
  bars.replaceChildren(...(data.head.length ? [headOf(data.head)] : []), ...data.rows.map((row) => rowOf(root, row)));
  // A refresh must not take the place of who reads by keyboard.
  if (focused) bars.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  bars.onclick = travel;
}
