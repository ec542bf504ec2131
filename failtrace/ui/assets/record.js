// The head of a record. data: {badge, title, text, link, facts: [{label, value, kind, href, since}],
//   copies: [{label, text}], compare, note}; `link` is what Copy link puts before the reader's own address.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Over plain HTTP, and without the permission, a browser has no clipboard but the selection's.
    const area = make("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("not copied");
  }
}

function copyButton(label, text) {
  const button = make("button", "action", label);
  button.type = "button";
  button.setAttribute("aria-live", "polite");
  button.onclick = async () => {
    const done = await copy(text).then(
      () => "Copied",
      () => "Could not copy",
    );
    button.textContent = done;
    setTimeout(() => (button.textContent = label), 1500);
  };
  return button;
}

function drawActions(data) {
  const box = make("div", "actions");
  if (data.compare) {
    const link = make("a", "action", "Compare with a passing execution");
    link.href = data.compare;
    box.append(link);
  }
  box.append(...data.copies.map(({ label, text }) => copyButton(label, text)));
  box.append(copyButton("Copy link", new URL(data.link, document.baseURI).href));
  return box;
}

function drawFact(fact) {
  const pair = make("div", fact.kind === "mono" ? "fact inline" : "fact");
  const detail = make("dd");
  if (fact.kind === "time") detail.append(when(fact.value));
  else if (fact.href) {
    const link = make("a", fact.kind, fact.value);
    link.href = fact.href;
    detail.append(link);
  } else detail.append(make("span", fact.kind, fact.value));
  pair.append(make("dt", null, fact.label), detail);
  return pair;
}

function drawMessage(text) {
  const message = make("p", "message clamped", text);
  const more = make("button", "more", "more");
  more.type = "button";
  more.hidden = true;
  more.setAttribute("aria-expanded", "false");
  more.onclick = () => {
    const whole = message.classList.toggle("whole");
    message.classList.toggle("clamped", !whole);
    message.tabIndex = whole ? 0 : -1;
    more.textContent = whole ? "less" : "more";
    more.setAttribute("aria-expanded", String(whole));
  };
  return [message, more];
}

export default function (component) {
  const { data, parentElement: root } = component;
  const box = root.querySelector(".record");
  const line = make("div", "line");
  line.append(badge(root, data.badge), make("h1", "title", data.title), drawActions(data));
  const [message, more] = drawMessage(data.text);
  const facts = make("dl", "facts");
  facts.append(...data.facts.filter((fact) => fact.kind !== "mono").map(drawFact));
  const ids = make("dl", "ids");
  ids.append(...data.facts.filter((fact) => fact.kind === "mono").map(drawFact));
  const note = data.note ? [make("p", "note faint", data.note)] : [];
  box.replaceChildren(line, ...(data.text ? [message, more] : []), facts, ids, ...note);
  box.onclick = travel;
  box.style.setProperty("--edge", colourOf(root, data.badge));
  const measure = () => {
    if (message.classList.contains("clamped")) more.hidden = message.scrollHeight <= message.clientHeight + 1;
  };
  const resized = new ResizeObserver(measure);
  resized.observe(message);
  return () => resized.disconnect();
}
