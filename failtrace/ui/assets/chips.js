// What a list is narrowed to. data: {chips: [{name, value, kind, since, until, href}]}; a chip leads to the list without it.
const MOMENT = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };

function moment(iso) {
  return new Date(iso).toLocaleString("en-GB", MOMENT);
}

function words(chip) {
  if (chip.kind !== "time") return chip.value;
  return [chip.since && `from ${moment(chip.since)}`, chip.until && `to ${moment(chip.until)}`].filter(Boolean).join(" ");
}

export default function (component) {
  const { data, parentElement: root } = component;
  const box = root.querySelector(".chips");
  box.replaceChildren(
    ...data.chips.map((chip) => {
      const link = make("a", "chip");
      link.href = chip.href;
      const value = make("span", `value is-${chip.kind}`, words(chip));
      value.dir = "auto";
      link.title = `${[chip.name, words(chip)].filter(Boolean).join(" ")}: remove`;
      link.setAttribute("aria-label", link.title);
      link.append(...(chip.name ? [make("span", "name", chip.name)] : []), value, icon("exception"));
      return link;
    }),
  );
  box.onclick = travel;
}
