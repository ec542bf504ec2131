// The ways from a failure to its list and to the failures beside it. data: {back: {label, href}, previous, next}
// The keys [ and ] go there too, wherever nobody types.
function way(label, key, href) {
  if (!href) {
    const end = make("span", "end", label);
    end.setAttribute("aria-disabled", "true");
    return end;
  }
  const link = make("a", null, label);
  link.href = href;
  link.dataset.key = key;
  link.setAttribute("aria-keyshortcuts", key);
  link.append(make("kbd", null, key));
  return link;
}

function typing(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && (target.matches("input, textarea, select") || target.isContentEditable);
}

export default function (component) {
  const { data, parentElement: root } = component;
  const nav = root.querySelector("nav");
  const back = make("a", null, data.back.label);
  back.href = data.back.href;
  nav.replaceChildren(back);
  if (data.previous || data.next) nav.append(way("Previous", "[", data.previous), way("Next", "]", data.next));
  nav.onclick = travel;
  // Where brackets need AltGr, that counts as Ctrl and Alt.
  const plain = (event) => !event.metaKey && (event.getModifierState("AltGraph") || !(event.ctrlKey || event.altKey));
  const follow = (event) => {
    if ((event.key !== "[" && event.key !== "]") || event.repeat || !plain(event) || typing(event)) return;
    nav.querySelector(`a[data-key="${event.key}"]`)?.click();
  };
  document.addEventListener("keydown", follow);
  return () => document.removeEventListener("keydown", follow);
}
