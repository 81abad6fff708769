import { element, svgElement } from "../player/elements.js";

const WIDTH = 300;
const HEIGHT = 34;

/** Boxes of what a node saved, what a second pass would do, and the memory that the graph holds over the steps. */
export class Holdings {
  constructor({ boxes, more, status, settings, memory }, words) {
    const drawn = boxes.map((box) => savedBox(box, words));
    this.root = element("div", { class: "holdings" });
    if (status) this.root.append(element("p", { class: "status" }, ...words.linked(status)));
    if (drawn.length) this.root.append(element("div", { class: "boxes" }, ...drawn));
    if (more) this.root.append(element("p", { class: "quiet" }, more));
    if (settings.length) this.root.append(element("p", { class: "quiet" }, `${words.settings} `, ...settings.flatMap((line, k) => [k ? " · " : "", element("code", {}, line)])));
    this.root.append(element("h5", {}, words.memory), memoryBar(memory, words), element("p", { class: "quiet" }, ...words.linked(memory.text)));
  }
}

function savedBox({ name, origin, state, shape, dtype, bytes, text, version, freed }, words) {
  const head = element("div", { class: "name" }, element("b", {}, name), origin ? ` = ${origin}` : "");
  const value = element("code", { class: "value" }, state === "freed" ? words.empty : text);
  const facts = [shape, dtype, bytes, version].filter(Boolean).join(" · ");
  const told = { stale: words.stale, freed }[state];
  return element("div", { class: `box is-${state}` }, head, value, element("div", { class: "quiet" }, ...words.linked(facts)), told ? element("div", { class: "told" }, told) : "");
}

/** A step chart: memory of leaves below, of results above, and where we are. */
function memoryBar({ changes, steps, step, most, text }) {
  const x = (at) => (WIDTH * at) / Math.max(1, steps);
  const y = (bytes) => HEIGHT - 2 - ((HEIGHT - 6) * bytes) / Math.max(1, most);
  const area = (height) => {
    const points = changes.flatMap((change, k) => [`${x(change[0])},${y(height(change))}`, `${x(changes[k + 1]?.[0] ?? steps)},${y(height(change))}`]);
    return `M0,${HEIGHT - 2} L${points.join(" L")} L${WIDTH},${HEIGHT - 2} Z`;
  };
  return svgElement(
    "svg",
    { class: "memory", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": text },
    svgElement("path", { class: "results", d: area(([, leaves, results]) => leaves + results) }),
    svgElement("path", { class: "leaves", d: area(([, leaves]) => leaves) }),
    svgElement("line", { class: "now", x1: x(step), x2: x(step), y1: 0, y2: HEIGHT }),
  );
}
