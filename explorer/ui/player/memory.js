import { svgElement } from "./elements.js";

const WIDTH = 1000;
const HEIGHT = 100;

/**
 * The memory that saved tensors hold, over the steps: that of leaves below, that of results on top.
 *
 * @param {{changes: [number, number, number, string][], most: number}} memory has [step, bytes of leaves, of results, text].
 * @param {number} steps
 */
export function memoryBar({ changes, most }, steps) {
  const x = (at) => (WIDTH * at) / Math.max(1, steps);
  const y = (bytes) => HEIGHT - (HEIGHT * bytes) / Math.max(1, most);
  const area = (height) => {
    const tops = changes.flatMap((change, k) => [change[0], changes[k + 1]?.[0] ?? steps].map((at) => `${x(at)},${y(height(change))}`));
    return `M0,${HEIGHT} L${tops.join(" L")} L${WIDTH},${HEIGHT} Z`;
  };
  const results = svgElement("path", { class: "results", d: area(([, leaves, results]) => leaves + results) });
  const leaves = svgElement("path", { class: "leaves", d: area(([, leaves]) => leaves) });
  return svgElement("svg", { class: "memory", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, results, leaves);
}

/** How much is held at a step, in words. */
export function memoryAt({ changes }, step) {
  return changes.findLast(([at]) => at <= step)?.[3] ?? "";
}
