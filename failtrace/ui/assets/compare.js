// Pairs of steps side by side. data: {names, left, right (indices of names, -1 where there is none), depths, answers
// (0 same, 1 differs, 2 only left, 3 only right), left_took, right_took, left_failed, right_failed, first, selected}.
// Only rows in view exist in the document.
const ROW = 30;
const SIGNS = [["=", "same"], ["≠", "differs"], ["◀", "only left"], ["▶", "only right"]];
const CLASSES = ["same", "differs", "left", "right"];

export default function (component) {
  const { data, parentElement: root, setStateValue } = component;
  const box = root.querySelector(".compare");
  const pane = root.querySelector(".pane");
  const canvas = root.querySelector(".canvas");
  const only = root.querySelector(".only");
  if (box.failtrace?.key !== data.key) box.failtrace = null;
  const state = (box.failtrace ??= { key: data.key, selected: data.selected });
  let rows;
  box.style.setProperty("--error", colourOf(root, "exception"));
  box.style.setProperty("--open", colourOf(root, "timeout"));

  function layout() {
    rows = [...data.depths.keys()].filter((at) => !only.checked || data.answers[at]);
    const different = data.answers.filter(Boolean).length;
    root.querySelector(".told").textContent = `${different.toLocaleString("en")} of ${data.depths.length.toLocaleString("en")} differ`;
    pane.style.height = `${Math.max(ROW, Math.min(420, rows.length * ROW))}px`;
    draw();
  }

  function side(name, at, took, failed) {
    const node = make("span", failed ? "side error" : "side");
    if (name < 0) return node.append(make("span", "absent", "–")), node;
    const label = make("span", "label", data.names[name]);
    label.style.paddingLeft = `${Math.min(data.depths[at], 10) * 0.8}rem`;
    node.append(label, make("span", "took", duration(took)));
    return node;
  }

  function build(at, top) {
    const answer = data.answers[at];
    const row = make("div", `pair ${CLASSES[answer]}${at === data.first ? " first" : ""}`);
    row.id = `pair-${at}`;
    row.dataset.at = at;
    row.style.top = `${top}px`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(state.selected === at));
    const sign = make("span", "sign");
    sign.append(make("span", null, SIGNS[answer][0]), make("span", "words", ` ${at === data.first ? "first" : SIGNS[answer][1]}`));
    row.append(
      side(data.left[at], at, data.left_took[at], data.left_failed[at]),
      sign,
      side(data.right[at], at, data.right_took[at], data.right_failed[at]),
    );
    const name = data.names[data.left[at] < 0 ? data.right[at] : data.left[at]];
    row.setAttribute("aria-label", `${name}: ${SIGNS[answer][1]}`);
    return row;
  }

  function draw() {
    const from = Math.max(0, Math.floor(pane.scrollTop / ROW) - 6);
    const to = Math.min(rows.length, Math.ceil((pane.scrollTop + pane.clientHeight) / ROW) + 6);
    canvas.style.height = `${rows.length * ROW}px`;
    canvas.replaceChildren(...rows.slice(from, to).map((at, offset) => build(at, (from + offset) * ROW)));
    pane.setAttribute("aria-activedescendant", `pair-${state.selected}`);
  }

  function reveal() {
    const top = rows.indexOf(state.selected) * ROW;
    if (top >= 0 && (top < pane.scrollTop || top + ROW > pane.scrollTop + pane.clientHeight))
      pane.scrollTop = Math.max(0, top - pane.clientHeight / 2);
  }

  function choose(at) {
    if (at === undefined) return;
    state.selected = at;
    reveal();
    draw();
    setStateValue("selected", at);
  }

  only.onchange = () => { layout(); reveal(); };
  pane.onscroll = () => requestAnimationFrame(draw);
  canvas.onclick = (event) => {
    const row = event.target.closest(".pair");
    if (row) choose(Number(row.dataset.at));
  };
  pane.onkeydown = (event) => {
    const here = rows.indexOf(state.selected);
    const next = rows.findIndex((at, place) => place > here && data.answers[at]);
    const to = {
      ArrowDown: here + 1, ArrowUp: Math.max(0, here - 1), Home: 0, End: rows.length - 1,
      n: next < 0 ? here : next,
    }[event.key];
    if (to === undefined) return;
    choose(rows[to]);
    event.preventDefault();
  };
  layout();
  reveal();
  draw();
  const resized = new ResizeObserver(draw);
  resized.observe(pane);
  return () => resized.disconnect();
}
