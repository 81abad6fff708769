import { element, svgElement } from "../player/elements.js";
import { memoryBar } from "../player/memory.js";

/** Boxes of what a node saved, what a second pass would do, and the memory that the graph holds over the steps. */
export class Holdings {
  constructor({ boxes, more, status, settings, memory }, words) {
    const drawn = boxes.map((box) => savedBox(box, words));
    this.root = element("div", { class: "holdings" });
    if (status) this.root.append(element("p", { class: "status" }, ...words.linked(status)));
    if (drawn.length) this.root.append(element("div", { class: "boxes" }, ...drawn));
    if (more) this.root.append(element("p", { class: "quiet" }, more));
    if (settings.length) this.root.append(element("p", { class: "quiet" }, `${words.settings} `, ...settings.flatMap((line, k) => [k ? " · " : "", element("code", {}, line)])));
    this.root.append(element("h5", {}, words.memory), barAt(memory), element("p", { class: "quiet" }, ...words.linked(memory.text)));
  }
}

function savedBox({ name, origin, state, shape, dtype, bytes, text, version, freed }, words) {
  const head = element("div", { class: "name" }, element("b", {}, name), origin ? ` = ${origin}` : "");
  const value = element("code", { class: "value" }, state === "freed" ? words.empty : text);
  const facts = [shape, dtype, bytes, version].filter(Boolean).join(" · ");
  const told = { stale: words.stale, freed }[state];
  return element("div", { class: `box is-${state}` }, head, value, element("div", { class: "quiet" }, ...words.linked(facts)), told ? element("div", { class: "told" }, told) : "");
}

/** The bar, with a line where we are. */
function barAt(memory) {
  const bar = memoryBar(memory, memory.steps);
  const x = (1000 * memory.step) / Math.max(1, memory.steps);
  bar.append(svgElement("line", { class: "now", x1: x, x2: x, y1: 0, y2: 100 }));
  return bar;
}
