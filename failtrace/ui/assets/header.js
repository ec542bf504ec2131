// The head of a record or a run. data: {badge, title, text, facts: [{label, value, kind, copy}]}
function value(root, fact) {
  if (fact.kind === "time") return when(fact.value);
  if (fact.href) {
    const link = make("a", fact.kind, fact.value);
    link.href = fact.href;
    return link;
  }
  return make("span", fact.kind, fact.value);
}

function copyButton(text) {
  const button = make("button", "copy", "Copy");
  button.type = "button";
  button.onclick = async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1200);
  };
  return button;
}

export default function (component) {
  const { data, parentElement: root } = component;
  const box = root.querySelector(".header");
  const line = make("div", "line");
  if (data.badge) line.append(badge(root, data.badge));
  line.append(make("span", "title", data.title));
  const facts = make("dl", "facts");
  for (const fact of data.facts) {
    const term = make("dt", null, fact.label);
    const detail = make("dd");
    detail.append(value(root, fact));
    if (fact.copy) detail.append(copyButton(fact.copy));
    const pair = make("div", fact.kind === "mono" ? "fact wide" : "fact");
    pair.append(term, detail);
    facts.append(pair);
  }
  box.replaceChildren(line, ...(data.text ? [make("p", "message", data.text)] : []), facts);
  box.onclick = travel;
  box.style.setProperty("--edge", data.badge ? colourOf(root, data.badge) : "var(--st-border-color)");
}
