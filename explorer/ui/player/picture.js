import { svgElement, fill } from "./elements.js";
import { keyframeAt, textsOf } from "./keyframes.js";

const RESERVED_ADVANCE = 0.62; // em per character: the layout leaves room for the widest common monospaced font
const KINDS = ["node", "edge", "saved", "leaf", "cut", "seed"];
const HALO_MARGIN = 4;
const VALUE_LINE = 1; // of a leaf's box, below its name

/**
 * The graph: restyles the groups of one laid-out SVG.
 * `render(step, target)` touches only the groups whose keyframe differs from the one shown.
 */
export class Picture {
  constructor(svg, { tracks = {}, values = {}, marks = {} }, words) {
    this.svg = svg;
    this.words = words;
    this.layer = svg.querySelector("g.graph") ?? svg;
    this.parts = new Map();
    this.fresh = new Set();
    for (const group of svg.querySelectorAll("g[id]")) {
      const frames = tracks[group.id] ?? tracks[group.id.replace(/-start$/, "")];
      const isPart = group !== this.layer && KINDS.some((kind) => group.classList.contains(kind));
      if (isPart) this.adopt(group, frames, values[group.id]);
    }
    this.tracked = [...this.parts.values()].filter((part) => part.frames);
    this.valued = [...this.parts.values()].filter((part) => part.values && part.texts.length > VALUE_LINE);
    this.selection = svgElement("rect", { class: "selection", rx: 9 });
    this.halo = svgElement("rect", { class: "halo is-hidden", rx: 8 }); // so that it does not come flying in
    this.badge = badge();
    this.layer.append(this.halo, this.selection, this.badge);
    this.signs = Object.entries(marks).filter(([id]) => this.parts.has(id)).map(([id, mark]) => this.marked(id, mark));
  }

  adopt(group, frames, values) {
    const texts = [...group.querySelectorAll("text")];
    const part = { id: group.id, group, frames, values, texts, said: frames && textsOf(frames), shown: null, box: null };
    part.rooms = texts.map((text) => columns(text.textContent) * RESERVED_ADVANCE * fontSize(text));
    part.original = texts.map((text) => text.textContent);
    part.sizes = texts.map(fontSize);
    for (const title of group.querySelectorAll(":scope > title")) title.remove();
    if (isSelectable(group)) {
      if (isEdge(group)) widenTarget(group);
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "button");
      name(part, this.words);
    }
    this.parts.set(group.id, part);
  }

  /** Call once the SVG is in the page: reads the boxes, so that stepping measures nothing. */
  measure() {
    const advance = advanceOf(getComputedStyle(this.svg).fontFamily);
    this.scale = Math.min(1, RESERVED_ADVANCE / advance);
    // First all reading, then all writing: in turns, the browser would lay out the whole graph for each of them.
    for (const part of this.parts.values()) {
      part.box = part.group.getBBox();
      part.rooms = part.rooms.map((room, i) => Math.max(room, roomInside(part, i)));
    }
    for (const { part, sign } of this.signs) sign.setAttribute("transform", `translate(${cornerOf(part)})`);
    for (const part of this.parts.values()) {
      part.texts.forEach((text, i) => this.fit(part, i, text.textContent));
    }
  }

  /** Marks a part for good, by class and by a sign at its corner: what only this graph has, what differs, the culprit. */
  marked(id, mark) {
    const part = this.parts.get(id);
    const sign = svgElement("g", { class: `mark-sign of-${mark}` }, svgElement("circle", { r: 8 }), svgElement("path", { d: SIGNS[mark] }));
    part.group.classList.add(`of-${mark}`);
    part.mark = this.words[`mark_${mark}`];
    sign.append(svgElement("title", {}, part.mark ?? ""));
    this.layer.append(sign);
    name(part, this.words);
    return { part, sign };
  }

  render(step, target) {
    for (const part of this.valued) this.value(part, Math.max(0, keyframeAt(part.values, step)));
    for (const part of this.tracked) {
      const index = keyframeAt(part.frames, step);
      if (index !== part.shown) this.show(part, index);
      const isFresh = step > 0 && index >= 0 && part.frames[index][0] === step;
      if (isFresh !== this.fresh.has(part)) this.refresh(part, isFresh);
    }
    this.point(this.parts.get(target));
  }

  show(part, index) {
    part.group.classList.remove(part.state ?? "is-absent");
    part.state = `is-${index < 0 ? "absent" : part.frames[index][1]}`;
    part.group.classList.add(part.state);
    part.shown = index;
    this.write(part, index < 0 ? null : part.said[index]);
  }

  /** Writes what a leaf holds that is changed in place. */
  value(part, index) {
    if (index === part.valueShown) return;
    part.valueShown = index;
    this.put(part, VALUE_LINE, part.values[index][1]);
    name(part, this.words);
  }

  /** Writes an edge's label, or a node's last line. */
  write(part, text) {
    const last = part.texts.length - 1;
    if (last < 0) return;
    if (isEdge(part.group)) {
      const lines = (text ?? "").split("\n");
      part.texts.forEach((_, i) => this.put(part, i, lines[i] ?? ""));
    } else {
      this.put(part, last, text ?? part.original[last]);
    }
    name(part, this.words);
  }

  put(part, i, text) {
    if (part.texts[i].textContent === text) return;
    part.texts[i].textContent = text;
    this.fit(part, i, text);
  }

  /** Scales a text down to the width that Graphviz reserved for it. */
  fit(part, i, text) {
    const needed = columns(text) * RESERVED_ADVANCE * part.sizes[i];
    const shrink = part.rooms[i] && needed > part.rooms[i] ? part.rooms[i] / needed : 1;
    part.texts[i].style.fontSize = `${(part.sizes[i] * (this.scale ?? 1) * shrink).toFixed(2)}px`;
  }

  refresh(part, isFresh) {
    part.group.classList.toggle("is-fresh", isFresh);
    if (isFresh) this.fresh.add(part);
    else this.fresh.delete(part);
  }

  /** Moves the halo and the badge to the part that the step is about. */
  point(part) {
    const hidden = !part?.box;
    this.halo.classList.toggle("is-hidden", hidden);
    this.badge.classList.toggle("is-hidden", hidden);
    this.pointed = hidden ? null : part;
    if (hidden) return;
    place(this.halo, part.box, HALO_MARGIN);
    this.badge.style.transform = `translate(${part.box.x - 1}px, ${part.box.y - 1}px)`;
    this.badge.classList.toggle("is-failed", part.state === "is-failed");
  }

  select(id) {
    this.parts.get(this.selected)?.group.classList.remove("is-selected");
    const part = this.parts.get(id);
    this.selected = part ? id : null;
    part?.group.classList.add("is-selected");
    this.selection.classList.toggle("is-hidden", !part || isEdge(part.group));
    if (part?.box) place(this.selection, part.box, HALO_MARGIN + 1);
    return this.selected;
  }

  /** Where a part is, in the units of the SVG's viewBox. */
  boxOf(id) {
    const box = this.parts.get(id)?.box;
    const { a, d, e, f } = this.layer.transform.baseVal.consolidate()?.matrix ?? { a: 1, d: 1, e: 0, f: 0 };
    return box && { x: box.x * a + e, y: box.y * d + f, width: box.width * a, height: box.height * d };
  }

  /** The box around several parts; undefined where none of them is drawn. */
  boxAround(ids) {
    const boxes = ids.map((id) => this.boxOf(id)).filter(Boolean);
    if (boxes.length === 0) return undefined;
    const [x, y] = ["x", "y"].map((start) => Math.min(...boxes.map((box) => box[start])));
    const right = Math.max(...boxes.map((box) => box.x + box.width));
    const bottom = Math.max(...boxes.map((box) => box.y + box.height));
    return { x, y, width: right - x, height: bottom - y };
  }

  /** Where every box is, in the units of the SVG's viewBox. */
  get nodeBoxes() {
    return [...this.parts.values()].filter((part) => !isEdge(part.group)).map((part) => this.boxOf(part.id));
  }

  /** The id of the selectable group that an element belongs to. */
  idOf(target) {
    const group = target.closest?.("g[role=button]");
    return group && this.parts.has(group.id) ? group.id : null;
  }
}

/** On a 16 × 16 grid around the middle. */
const SIGNS = {
  removed: "M-4 0h8",
  added: "M-4 0h8M0 -4v8",
  changed: "M-4 -2h8M-4 2h8M2.5 -5l-5 10",
  culprit: "M0 -4.5v5M0 3.6v0.6",
};

/** Where a part's sign stands: a box's upper right corner; near an arrow's start, out of the way of its number. */
function cornerOf({ box, group }) {
  const path = isEdge(group) && group.querySelector("path:not(.hit)");
  if (!path) return [box.x + box.width, box.y];
  const { x, y } = path.getPointAtLength(path.getTotalLength() * 0.2);
  return [x, y];
}

const LINKS = ["saved-link", "leaf-link", "cut-link", "more-link", "more", "sign", "seed-start"];
const isSelectable = ({ classList }) => !LINKS.some((link) => classList.contains(link));
const isEdge = (group) => group.classList.contains("edge");
const fontSize = (text) => parseFloat(text.getAttribute("font-size")) || 12;

function place(rect, box, margin) {
  const { style } = rect;
  style.x = `${box.x - margin}px`;
  style.y = `${box.y - margin}px`;
  style.width = `${box.width + 2 * margin}px`;
  style.height = `${box.height + 2 * margin}px`;
}

/** Width in Latin characters: a full-width one is 1 em, a Latin one about 0.6. */
function columns(text) {
  let count = 0;
  for (const character of text) count += character.codePointAt(0) >= 0x2e80 ? 1 / RESERVED_ADVANCE : 1;
  return count;
}

/** Width inside a node's own outline for its i-th line; 0 for an edge, which has no outline. */
function roomInside(part, i) {
  if (isEdge(part.group)) return 0;
  const shape = part.group.querySelector("path, polygon, ellipse, rect");
  return shape && i === part.texts.length - 1 ? shape.getBBox().width - 8 : 0;
}

/** em per character of a monospaced font, as this browser draws it. */
function advanceOf(family) {
  const context = document.createElement("canvas").getContext("2d");
  context.font = `100px ${family}`;
  return context.measureText("0".repeat(10)).width / 1000;
}

/** An edge is thin: lay a wide invisible line over it, to click on. */
function widenTarget(group) {
  const path = group.querySelector("path");
  if (!path) return;
  path.setAttribute("pathLength", "1");
  const wide = path.cloneNode();
  wide.setAttribute("class", "hit");
  group.prepend(wide);
}

function name(part, words) {
  const texts = part.texts.map((text) => text.textContent.trim());
  const said = [...texts, part.mark].filter(Boolean).join(", ");
  part.group.setAttribute("aria-label", isEdge(part.group) ? fill(words.edge, { value: said || "–" }) : said || part.id);
}

function badge() {
  return svgElement(
    "g",
    { class: "badge is-hidden", "aria-hidden": "true" },
    svgElement("circle", { r: 7.5 }),
    svgElement("path", { class: "arrow", d: "M-2.2 -3.6v7.2l5.8 -3.6z" }),
    svgElement("path", { class: "cross", d: "M-3 -3l6 6M3 -3l-6 6" }),
  );
}
