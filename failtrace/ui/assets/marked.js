// A text with marked stretches and a note on each. data: {title, kind, style, segments: [[text, [note]]],
//   notes: [{title, lines: [{label, text, mono}]}], more, cut}
function drawSegment([text, marks], numbered) {
  if (!marks.length) return document.createTextNode(text);
  const mark = make("mark", null, text);
  mark.dataset.notes = marks.join(" ");
  for (const at of marks) {
    if (numbered.has(at)) continue;
    numbered.add(at);
    const number = make("sup", null, at + 1);
    number.setAttribute("aria-label", `note ${at + 1}`);
    mark.append(number);
  }
  return mark;
}

function drawNote(note, at, marked) {
  const item = make("li", "note");
  item.dataset.note = at;
  const what = make("div", "what");
  what.append(make("span", "number", at + 1), make("span", null, note.title));
  const lines = make("dl");
  for (const { label, text, mono } of note.lines) lines.append(make("dt", null, label), make("dd", mono ? "mono" : null, text));
  item.append(what, lines);
  if (marked) {
    item.tabIndex = 0;
    item.setAttribute("role", "button");
    item.title = "Show it in the text";
  }
  return item;
}

function bring(pane, node) {
  const top = node.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
  if (top < pane.scrollTop || top > pane.scrollTop + pane.clientHeight - 40) pane.scrollTop = Math.max(0, top - pane.clientHeight / 3);
}

export default function (component) {
  const { data, parentElement: root } = component;
  const box = root.querySelector(".marked");
  const words = root.querySelector(".words");
  const notes = root.querySelector(".notes");
  box.style.setProperty("--edge", colourOf(root, data.kind));
  box.querySelector(".name")?.remove();
  box.prepend(make("h2", "name", data.title));
  words.className = `words ${data.style}`;
  words.setAttribute("aria-label", "The output, with the stretches in question marked");
  const numbered = new Set();
  words.replaceChildren(...data.segments.map((segment) => drawSegment(segment, numbered)));
  if (data.cut) words.append(make("span", "faint", `… (${data.cut.toLocaleString("en")} more characters)`));
  notes.replaceChildren(...data.notes.map((note, at) => drawNote(note, at, numbered.has(at))));
  if (data.more) notes.append(make("li", "rest faint", `${data.more.toLocaleString("en")} more, in the whole record below`));

  const marksOf = (at) => [...words.querySelectorAll("mark")].filter((mark) => mark.dataset.notes.split(" ").includes(String(at)));
  function light(numbers) {
    for (const node of box.querySelectorAll(".lit")) node.classList.remove("lit");
    for (const at of numbers) {
      notes.children[at]?.classList.add("lit");
      for (const mark of marksOf(at)) mark.classList.add("lit");
    }
  }
  function choose(at) {
    light([at]);
    const [mark] = marksOf(at);
    if (mark) bring(words, mark);
    if (notes.children[at]) bring(notes, notes.children[at]);
  }
  words.onclick = (event) => {
    const mark = event.target.closest("mark");
    if (mark) choose(Number(mark.dataset.notes.split(" ")[0]));
  };
  notes.onclick = (event) => {
    const item = event.target.closest("[data-note]");
    if (item) choose(Number(item.dataset.note));
  };
  notes.onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    notes.onclick(event);
  };
  box.onmouseover = (event) => {
    const mark = event.target.closest("mark");
    const item = event.target.closest("[data-note]");
    if (mark) light(mark.dataset.notes.split(" "));
    else if (item) light([item.dataset.note]);
  };
  box.onmouseleave = () => light([]);
  const first = words.querySelector("mark");
  if (first && box.failtrace !== data.title) bring(words, first);
  box.failtrace = data.title;
}
