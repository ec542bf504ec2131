// Why an execution failed. data: {title, kind, blocks: [block]}
// block: {headline, text, label, place: {file, line, function, source, own}, details: [{label, value, href}],
//   folds: [{title, text}], blocks: [block], open}
function shortPath(file) {
  const parts = file.split(/[/\\]/);
  return parts.length > 5 ? `…/${parts.slice(-4, -1).join("/")}` : parts.slice(0, -1).join("/");
}

function drawPlace(place) {
  const box = make("div", "place");
  const where = make("div", "where");
  const folder = make("span", "path faint", shortPath(place.file));
  folder.title = place.file;
  where.append(
    make("b", "mono", `${place.file.split(/[/\\]/).pop()}:${place.line}`),
    make("span", "mono", place.function),
    folder,
    make("span", "whose faint", place.own ? "your code" : "not your code"),
  );
  box.append(where);
  if (place.source) {
    const source = make("div", "source");
    const code = make("pre", null, place.source);
    source.append(make("span", "number faint", place.line), code);
    box.append(source);
  }
  return box;
}

function drawDetails(details) {
  const list = make("dl", "details");
  for (const { label, value, href } of details) {
    const pair = make("div");
    const detail = make("dd");
    if (href) {
      const link = make("a", null, value);
      link.href = href;
      detail.append(link);
    } else detail.textContent = value;
    pair.append(make("dt", null, label), detail);
    list.append(pair);
  }
  return list;
}

function drawFold(fold) {
  const box = make("details");
  const text = make("pre", null, fold.text);
  text.tabIndex = 0;
  box.append(make("summary", null, fold.title), text);
  return box;
}

// Its headline is the summary that unfolds it.
function drawInner(block) {
  const box = make("details");
  box.open = block.open;
  const summary = make("summary");
  if (block.label) summary.append(make("span", "faint", `${block.label} `));
  summary.append(make("span", "what", block.headline));
  if (block.text) summary.append(make("span", null, `: ${block.text.slice(0, 200)}`));
  box.append(summary, drawBlock(block, block.text.length > 200));
  return box;
}

function drawBody(block, box) {
  if (block.place) box.append(drawPlace(block.place));
  if (block.details.length) box.append(drawDetails(block.details));
  box.append(...block.blocks.map(drawInner), ...block.folds.map(drawFold));
}

function drawBlock(block, told) {
  const box = make("div", "block");
  if (told) box.append(make("div", "text", block.text));
  drawBody(block, box);
  return box;
}

function drawOuter(block) {
  const box = make("div", "block");
  box.append(make("div", "headline", block.headline));
  if (block.text) box.append(make("div", "text", block.text));
  drawBody(block, box);
  return box;
}

export default function (component) {
  const { data, parentElement: root } = component;
  const box = root.querySelector(".cause");
  box.replaceChildren(make("h2", "name", data.title), ...data.blocks.map(drawOuter));
  box.onclick = travel;
  box.classList.toggle("edged", Boolean(data.kind));
  box.style.setProperty("--edge", colourOf(root, data.kind));
}
