import { element, fill } from "../player/elements.js";
import { followPointing, shadedCell } from "./cells.js";

/** A node's local Jacobian as a heat map with vᵀJ under it, and the chain rule from the root. */
export class Matrices {
  constructor({ slots, reason, chain }, words) {
    this.words = words;
    this.root = element("div", { class: "matrices" });
    if (reason) this.root.append(element("p", { class: "quiet" }, ...words.linked(reason)));
    if (slots.length) this.root.append(choice(slots.map(({ title, slot }) => (slots.length > 1 ? `${title} · ${slot}` : title)), (k) => this.slot(slots[k])));
    if (chain) this.root.append(this.chain(chain));
  }

  slot({ matrix, rows, columns, came, sent, sent_symbol: symbol }) {
    const { words } = this;
    const width = columns.length;
    const head = element("tr", {}, element("th", { class: "v", scope: "col" }, "v"), element("td"), ...columns.map((name) => element("th", { scope: "col" }, name.replace(/, /g, ","))));
    const body = rows.map((name, r) =>
      element(
        "tr",
        {},
        element("td", { class: "v", "data-row": r }, came[r]),
        element("th", { scope: "row" }, name.replace(/, /g, ",")),
        ...columns.map((column, c) => shadedCell("td", matrix.cells[r * width + c], matrix.shades[r * width + c], { "data-row": r, "data-column": c, title: `∂${name}/∂${column} = ${matrix.cells[r * width + c]}` })),
      ),
    );
    const foot = element("tr", { class: "product" }, element("td"), element("th", { scope: "row" }, "vᵀJ"), ...sent.map((text, c) => element("td", { "data-column": c }, text)));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body), element("tfoot", {}, foot));
    const mark = (column) => table.querySelectorAll("[data-column]").forEach((one) => one.classList.toggle("is-pointed", one.dataset.column === column));
    followPointing(table, (target) => target.closest?.("[data-column]"), (cell) => mark(cell.dataset.column), () => mark(null));
    const said = element("p", { class: "tick" }, ...words.linked(fill(words.agrees, { symbol })));
    return element("div", {}, element("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": words.jacobian }, table), said);
  }

  chain({ title, seed, whole, gradient, paths, note }) {
    const { words } = this;
    const isWhole = paths.length === 1 && paths[0].factors.length === 1;
    const ways = isWhole ? [] : paths.map(({ factors, part }, k) => [paths.length > 1 ? fill(words.path, { number: k + 1 }) : words.only_path, factors, part]);
    ways.push([words.whole, [whole], gradient]);
    const names = ways.map(([name]) => name);
    const shown = choice(names, (k) => product(seed, ways[k][1], ways[k][2], `${title}: ${names[k]}`), names.length - 1);
    return element("section", { class: "chain" }, element("h5", {}, ...words.linked(title)), element("p", { class: "quiet" }, ...words.linked(note)), shown);
  }
}

/** Buttons of which one is chosen, and below them what belongs to it. */
function choice(names, show, chosen = 0) {
  const place = element("div", {});
  const buttons = names.map((name, k) => {
    const button = element("button", { type: "button", class: "choice" }, name);
    button.addEventListener("click", () => pick(k));
    return button;
  });
  const pick = (k) => {
    buttons.forEach((button, other) => button.setAttribute("aria-pressed", String(other === k)));
    place.replaceChildren(show(k));
  };
  const row = element("div", { class: "choices", role: "group" }, ...buttons);
  row.hidden = names.length < 2;
  pick(chosen);
  return element("div", {}, row, place);
}

function product(seed, factors, result, label) {
  const parts = [seed, ...factors].flatMap((factor, k) => (k ? [element("span", { class: "sign" }, "·"), small(factor)] : [small(factor)]));
  if (result) parts.push(element("span", { class: "sign" }, "="), small(result, "is-result"));
  return element("div", { class: "scroller product-row", tabindex: "0", role: "group", "aria-label": label }, ...parts);
}

function small(grid, kind = "") {
  const style = `grid-template-columns:repeat(${Math.max(1, grid.shape.at(-1) ?? 1)},max-content)`;
  const cells = (grid.cells ?? ["…"]).map((text, k) => shadedCell("span", text, grid.shades[k] ?? 0));
  return element("figure", { class: `small ${kind}` }, element("div", { class: "cells", style }, ...cells), element("figcaption", {}, grid.title, " ", element("code", {}, grid.shape_text ?? "")));
}
