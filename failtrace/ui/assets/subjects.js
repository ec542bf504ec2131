// Subjects to choose from. data: {subjects: [{name, about, contract, timeout, kind, when, href}], picked: [name]}
// The choice lives here once drawn; what data says of it is where it begins. Up and Down walk, Space ticks.
const REFRESH_MS = 20000;

function tick(label) {
  const input = make("input");
  input.type = "checkbox";
  input.setAttribute("aria-label", label);
  return input;
}

function part(className, ...inside) {
  const node = make("td", className);
  node.append(...inside);
  return node;
}

function result(root, subject) {
  if (!subject.kind) return part("last", make("span", "faint", "never ran"));
  const link = make("a");
  link.href = subject.href;
  link.append(badge(root, subject.kind));
  link.setAttribute("aria-label", `Last result of ${subject.name}: ${LABELS[subject.kind] ?? subject.kind}`);
  return part("last", link, when(subject.when));
}

function row(root, subject) {
  const node = make("tr");
  node.dataset.name = subject.name;
  node.failtrace = `${subject.name} ${subject.about} ${subject.contract}`.toLowerCase();
  const said = [breakable(make("span", "name"), subject.name)];
  if (subject.about) said.push(make("span", "about faint", subject.about));
  said.push(make("span", "more faint", `${subject.contract} · ${subject.timeout}`));
  const title = part("said", ...said);
  title.title = [subject.name, subject.about].filter(Boolean).join("\n");
  node.append(
    part("box", tick(subject.name)),
    title,
    part("wide", subject.contract),
    part("wide", subject.timeout),
    result(root, subject),
  );
  return node;
}

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  const table = root.querySelector(".subjects");
  const find = table.querySelector(".find");
  const body = table.querySelector("tbody");
  const all = table.querySelector("thead input");
  const state = (table.failtrace ??= { picked: new Set(data.picked) });
  const rows = () => [...body.children].filter((node) => !node.hidden);

  function draw() {
    const shown = JSON.stringify(data.subjects);
    if (state.shown === shown) return;
    const focused = root.activeElement?.closest("tr")?.dataset.name;
    state.shown = shown;
    body.replaceChildren(...data.subjects.map((subject) => row(root, subject)));
    search();
    if (focused) rows().find((node) => node.dataset.name === focused)?.querySelector("input").focus({ preventScroll: true });
  }

  // One stop of the Tab key for all boxes: the one where the reader is.
  function aim(node) {
    for (const other of body.children) other.querySelector("input").tabIndex = other === node ? 0 : -1;
  }

  function search() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const node of body.children) node.hidden = !words.every((word) => node.failtrace.includes(word));
    table.querySelector(".none").hidden = rows().length > 0;
    aim(rows()[0]);
    paint();
  }

  function paint() {
    const known = [...body.children];
    for (const node of known) {
      const ticked = state.picked.has(node.dataset.name);
      node.classList.toggle("picked", ticked);
      node.querySelector("input").checked = ticked;
    }
    const here = rows();
    const ticked = here.filter((node) => state.picked.has(node.dataset.name)).length;
    all.checked = here.length > 0 && ticked === here.length;
    all.indeterminate = ticked > 0 && ticked < here.length;
    all.disabled = here.length === 0;
    const chosen = known.filter((node) => state.picked.has(node.dataset.name)).length;
    const found = here.length < known.length ? `, ${here.length.toLocaleString("en")} found` : "";
    table.querySelector(".told").textContent =
      `${chosen.toLocaleString("en")} of ${known.length.toLocaleString("en")} chosen${found}`;
  }

  function pick(nodes, ticked) {
    for (const node of nodes) state.picked[ticked ? "add" : "delete"](node.dataset.name);
    paint();
    setStateValue("picked", [...state.picked]);
  }

  draw();
  paint();
  find.oninput = search;
  all.onchange = () => pick(rows(), all.checked);
  body.onchange = (event) => pick([event.target.closest("tr")], event.target.checked);
  body.onfocusin = (event) => aim(event.target.closest("tr"));
  body.onclick = (event) => {
    if (event.target.closest("a")) return travel(event);
    const node = event.target.closest("tr");
    if (!node || event.target.tagName === "INPUT" || getSelection().toString()) return;
    pick([node], !state.picked.has(node.dataset.name));
  };
  table.onkeydown = (event) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key) || event.metaKey || event.ctrlKey || event.altKey) return;
    const here = rows();
    const at = here.indexOf(root.activeElement?.closest("tbody tr"));
    const to = here[event.key === "ArrowDown" ? at + 1 : at - 1];
    if (!to || (at < 0 && event.target !== find)) return;
    event.preventDefault();
    to.querySelector("input").focus();
    to.scrollIntoView({ block: "nearest" });
  };
  const ageing = setInterval(() => table.querySelectorAll("time").forEach(tell), REFRESH_MS);
  return () => clearInterval(ageing);
}
