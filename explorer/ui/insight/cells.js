import { element } from "../player/elements.js";

/** Calls `onPoint` for what the pointer or the focus is on, `onLeave` once it is on nothing any more. */
export function followPointing(root, find, onPoint, onLeave) {
  const point = (event) => {
    const found = find(event.target);
    if (found) onPoint(found);
  };
  root.addEventListener("pointerover", point);
  root.addEventListener("focusin", point);
  root.addEventListener("pointerleave", onLeave);
}

/** The index of an element as Python writes it: "[1, 0]"; "" for a scalar. */
function indexText(flat, shape) {
  const index = [];
  for (const size of [...shape].reverse()) {
    index.unshift(flat % size);
    flat = Math.floor(flat / size);
  }
  return index.length ? `[${index.join(", ")}]` : "";
}

/** A cell, blue below zero and orange above, the stronger the larger its magnitude. */
export function shadedCell(tag, text, shade, attributes = {}) {
  const sign = shade < 0 ? "is-negative" : shade > 0 ? "is-positive" : "is-zero";
  const { class: more = "", ...others } = attributes;
  return element(tag, { class: `cell ${sign} ${more}`, style: `--shade:${Math.abs(shade)}`, ...others }, text);
}

/** A tensor as a grid of cells with one tab stop; arrow keys move inside. */
export class CellGrid {
  constructor(grid, at, words) {
    this.grid = grid;
    this.columns = grid.shape.at(-1) ?? 1;
    const title = element("div", { class: "title" }, element("span", {}, ...words.linked(grid.title)), " ", element("code", {}, grid.shape_text));
    if (grid.note) title.append(element("span", { class: "note" }, ...words.linked(grid.note)));
    this.root = element("section", { class: "tensor" }, title, grid.cells ? this.table(at) : element("p", { class: "quiet" }, words.too_large));
  }

  table(at) {
    const { grid } = this;
    this.cells = grid.cells.map((text, cell) =>
      shadedCell("button", text, grid.shades[cell], { type: "button", tabindex: cell ? -1 : 0, "data-grid": at, "data-cell": cell, "aria-label": `${this.nameOf(cell)} = ${text}` }),
    );
    const style = `grid-template-columns:repeat(${Math.max(1, this.columns)},max-content)`;
    const table = element("div", { class: "cells", role: "group", "aria-label": grid.title, style }, ...this.cells);
    table.addEventListener("keydown", (event) => this.move(event));
    return table;
  }

  nameOf(cell) {
    return `${this.grid.symbol}${indexText(cell, this.grid.shape)}`;
  }

  move(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = this.cells[this.cells.indexOf(event.target) + by];
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
