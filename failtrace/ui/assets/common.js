// Shared by the components; each is this file and its own, one module. Text is set by textContent alone.
const KINDS = ["exception", "timeout", "validation_error", "hallucination_flag", "passed"];
const LABELS = {
  exception: "Exception",
  timeout: "Timeout",
  validation_error: "Validation error",
  hallucination_flag: "Hallucination",
  passed: "Passed",
  running: "Running",
  finished: "Finished",
  cancelled: "Cancelled",
  interrupted: "Interrupted",
};
// 16 x 16 outlines: a cross, a clock, a broken frame, a wave, a tick; and the states of a run.
const ICONS = {
  exception: "M4 4l8 8M12 4l-8 8",
  timeout: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 5v3.2l2.2 1.6",
  validation_error: "M6 3H3v10h10V9M9 7l4-4M13 6V3h-3",
  hallucination_flag: "M2 6.5c2-3 4-3 6 0s4 3 6 0M2 11c2-3 4-3 6 0s4 3 6 0",
  passed: "M3.5 8.5l3 3 6-7",
  running: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  finished: "M3.5 8.5l3 3 6-7",
  cancelled: "M4.5 4.5h7v7h-7z",
  interrupted: "M5.5 3.5v9M10.5 3.5v9",
};

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
}

// A name that may be broken after `_`, `:` and `.`, where it comes to its end of line, and not inside a word.
function breakable(node, name) {
  for (const part of name.split(/(?<=[_:.])/)) node.append(part, make("wbr"));
  return node;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.exception);
  svg.append(path);
  return svg;
}

// Colours of the kinds come from the theme, in the order of KINDS.
function colourOf(root, name) {
  const style = getComputedStyle(root.host ?? root);
  const colours = style.getPropertyValue("--st-chart-categorical-colors").split(",");
  const at = KINDS.indexOf(name);
  if (at >= 0 && name !== "passed") return colours[at]?.trim() || "currentColor";
  return "color-mix(in srgb, var(--st-text-color) 60%, transparent)";
}

function badge(root, name) {
  const node = make("span", "badge");
  node.style.setProperty("--tone", colourOf(root, name));
  node.append(icon(name), make("span", null, LABELS[name] ?? name));
  return node;
}

// A plain click moves within the app, as Back and Forward do: Streamlit follows the address, one entry a move.
// With a modifier, or by the middle button, a link is left to the browser: it opens a new tab.
function travel(event) {
  const link = event.target.closest("a[href]");
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  window.dispatchEvent(new PopStateEvent("popstate"));
}

// As failtrace.wording.duration has it, so that one time reads the same wherever it stands.
function duration(milliseconds) {
  if (!milliseconds) return "0 ms";
  if (milliseconds < 0.01) return "<0.01 ms";
  const digits = milliseconds < 0.995 ? 2 : milliseconds < 9.95 ? 1 : 0;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(digits)} ms`;
  if (milliseconds < 59995) return `${(milliseconds / 1000).toFixed(2)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  const two = (number) => String(number).padStart(2, "0");
  return minutes < 60 ? `${minutes} min ${two(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

// As failtrace.wording.ago has it: one card may tell one age by both.
const AGES = [["days", 2 * 86400, 86400], ["h", 3600, 3600], ["min", 60, 60], ["s", 0, 1]];

function ago(iso) {
  const seconds = (Date.now() - new Date(iso)) / 1000;
  const [unit, , length] = AGES.find(([, least]) => Math.abs(seconds) >= least) ?? AGES.at(-1);
  const words = `${Math.floor(Math.abs(seconds) / length)} ${unit}`;
  return seconds > -1 ? `${words} ago` : `in ${words}`;
}

// Ages grow while a page is open.
function tell(node) {
  node.textContent = ago(node.dateTime);
}

function when(iso) {
  const node = make("time", null, ago(iso));
  node.dateTime = iso;
  node.title = new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  return node;
}
