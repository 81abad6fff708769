import { element, fill } from "../player/elements.js";
import { CellGrid, followPointing } from "./cells.js";

const MOST_TERMS = 8;

/** Grids of what came in and what was sent on; pointing at an element shows its sum and marks what it came from. */
export class Numbers {
  constructor({ grids, notes, unexplained, main, rule }, words) {
    this.words = words;
    this.main = main ?? 0;
    this.noSum = words[`no_sum_${unexplained ?? "other"}`];
    this.grids = grids.map((grid, at) => new CellGrid(grid, at, words));
    this.line = element("p", { class: "equation", "aria-live": "polite" });
    const said = notes.map((note) => element("p", { class: "quiet" }, ...words.linked(note)));
    this.root = element("div", { class: "numbers" }, this.line, ...this.grids.map(({ root }) => root), ...said, rule ? torchRule(rule, words) : "");
    this.line.hidden = !unexplained && !grids.some(({ sums }) => sums.some(Boolean));
    followPointing(this.root, cellAt, ([at, cell]) => this.point(at, cell), () => this.rest());
    this.rest();
  }

  /** What is to be seen first: the largest element of the gradient this is about, among those whose sum is known. */
  rest() {
    const { grid } = this.grids[this.main] ?? {};
    const explained = (grid?.sums ?? []).flatMap((sum, cell) => (sum?.terms.length ? [cell] : []));
    const [largest] = explained.sort((one, other) => Math.abs(grid.shades[other]) - Math.abs(grid.shades[one]));
    if (largest !== undefined) this.point(this.main, largest);
    else this.line.replaceChildren(element("span", { class: "quiet" }, this.noSum));
  }

  point(at, cell) {
    const sum = this.grids[at].grid.sums[cell];
    const used = this.usesOf(at, cell);
    for (const { cells } of this.grids) cells?.forEach((one) => one.classList.remove("is-pointed", "is-source", "is-use"));
    this.cellOf([at, cell]).classList.add("is-pointed");
    for (const factor of (sum?.terms ?? []).flat()) if (Array.isArray(factor)) this.cellOf(factor).classList.add("is-source");
    for (const place of used) this.cellOf(place).classList.add("is-use");
    this.line.replaceChildren(...(sum ? this.equation(at, cell, sum) : this.plain(at, cell, used)));
  }

  cellOf([at, cell]) {
    return this.grids[at].cells[cell];
  }

  textOf([at, cell]) {
    return this.grids[at].grid.cells[cell];
  }

  /** The elements in whose sums this one stands. */
  usesOf(at, cell) {
    const stands = ({ terms }) => terms.flat().some((factor) => factor[0] === at && factor[1] === cell && Array.isArray(factor));
    return this.grids.flatMap(({ grid }, other) => grid.sums.flatMap((sum, place) => (sum && stands(sum) ? [[other, place]] : [])));
  }

  equation(at, cell, { terms, labels }) {
    const parts = [element("b", {}, this.grids[at].nameOf(cell)), " = "];
    const shown = terms.length > MOST_TERMS ? terms.slice(0, MOST_TERMS - 1) : terms;
    shown.forEach((term, k) => {
      parts.push(k ? " + " : "", ...this.product(term, k > 0));
      if (labels[k]) parts.push(" ", element("span", { class: "label" }, labels[k]));
    });
    if (shown.length < terms.length) parts.push(" + ", element("span", { class: "label" }, fill(this.words.more_terms, { count: terms.length - shown.length })));
    if (!terms.length) return [...parts, this.textOf([at, cell]), " ", element("span", { class: "label" }, this.words.no_terms)];
    if (terms.length === 1 && terms[0].length === 1) return [...parts, " ", element("span", { class: "label" }, labels.length ? "" : this.words.unchanged)];
    return [...parts, " = ", element("b", {}, this.textOf([at, cell]))];
  }

  product(factors, isLater) {
    return factors.flatMap((factor, k) => {
      const isPlace = Array.isArray(factor);
      const text = isPlace ? this.textOf(factor) : factor;
      const said = text.startsWith("-") && (k > 0 || isLater) ? `(${text})` : text;
      const place = element("span", { class: isPlace ? "factor" : "factor is-derivative" }, said);
      if (isPlace) place.title = this.grids[factor[0]].nameOf(factor[1]);
      return k ? [" · ", place] : [place];
    });
  }

  plain(at, cell, used) {
    const name = element("b", {}, this.grids[at].nameOf(cell));
    const names = used.slice(0, MOST_TERMS).map(([other, place]) => this.grids[other].nameOf(place));
    if (!used.length) return [name, " = ", this.textOf([at, cell])];
    const more = used.length > MOST_TERMS ? ", …" : "";
    return [name, " = ", this.textOf([at, cell]), " ", element("span", { class: "label" }, fill(this.words.used_in, { names: names.join(", ") + more }))];
  }
}

/** PyTorch's own derivative of the operation, as its source has it; folded, since it is written in C++. */
function torchRule({ operation, derivatives }, words) {
  const lines = derivatives.map(([argument, formula]) => element("p", {}, element("b", {}, argument), ": ", element("code", {}, formula)));
  return element("details", { class: "rule" }, element("summary", {}, words.torch_rule), element("p", { class: "quiet" }, element("code", {}, operation)), ...lines);
}

function cellAt(target) {
  const cell = target.closest?.("[data-cell]");
  return cell && [Number(cell.dataset.grid), Number(cell.dataset.cell)];
}
