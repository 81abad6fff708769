import { element } from "./elements.js";

const ROWS_IN_SIGHT = 8; // the style sheet gives them room

/** What each pass added to each leaf's `.grad`: old + incoming = new, filled in as the steps reach it. */
export class Ledger {
  constructor(ledger, words, { go, select, linked }) {
    this.entries = [];
    this.words = words;
    this.go = go;
    const columns = ledger?.columns ?? [];
    const rows = ledger?.rows ?? [];
    this.columns = columns.map((column) => this.head(column));
    const head = element("tr", {}, element("th", { scope: "col" }, ...linked(words.leaf)), ...this.columns);
    const body = rows.map((row) => this.row(row, columns, select));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
    this.scroller = element("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": words.ledger }, table);
    this.root = element("section", { class: "ledger" }, element("div", { class: "caption" }, ...linked(words.ledger)), this.scroller);
    this.isLong = rows.length > ROWS_IN_SIGHT;
    this.root.hidden = rows.length === 0 || columns.length === 0;
  }

  head(column) {
    const number = element("span", { class: "number" }, String(column.pass));
    const title = element("span", { class: "title" }, number, element("code", {}, column.title));
    const head = element("th", { scope: "col" }, title);
    this.entries.push({ step: column.step, cell: head });
    return head;
  }

  row(row, columns, select) {
    const leaf = element("button", { type: "button", class: "leaf-name" }, row.leaf);
    leaf.addEventListener("click", () => select(row.node_id ?? row.leaf_id));
    const cells = columns.map((_, i) => this.cell(row, i, i === columns.length - 1));
    return element("tr", {}, element("th", { scope: "row" }, leaf), ...cells);
  }

  cell(row, column, isLast) {
    const cell = element("td");
    const said = row.cells[column];
    const isAt = (cleared) => cleared.column === column || (isLast && cleared.column > column);
    const cleared = (row.cleared ?? []).filter(isAt);
    for (const mark of cleared.filter((mark) => mark.column === column)) cell.append(this.clearing(mark));
    cell.append(said ? this.sum(said) : element("span", { class: "nothing", title: this.words.not_reached }, "–"));
    for (const mark of cleared.filter((mark) => mark.column > column)) cell.append(this.clearing(mark));
    return cell;
  }

  sum({ step, before, incoming, after }) {
    const entry = element(
      "span",
      { class: "sum" },
      element("span", { class: "before" }, before),
      element("i", {}, "+"),
      element("span", { class: "incoming" }, incoming),
      element("i", {}, "="),
      element("span", { class: "after" }, after),
    );
    return this.reached(entry, step);
  }

  clearing({ step, to, after }) {
    const said = { zeros: "zero_()", none: "= None" }[to] ?? `= ${after}`;
    return this.reached(element("span", { class: "cleared", title: this.words.cleared }, said), step);
  }

  /** An entry that shows from its step on; its place is kept before. A click goes there. */
  reached(entry, step) {
    entry.addEventListener("click", () => this.go(step));
    this.entries.push({ step, cell: entry });
    return entry;
  }

  render(step) {
    let latest = null;
    for (const entry of this.entries) {
      if (entry.step <= step && entry.step >= (latest?.step ?? 0)) latest = entry;
      const state = entry.step > step ? "is-ahead" : entry.step === step ? "is-now" : "is-past";
      if (state === entry.state) continue;
      entry.cell.classList.remove(entry.state ?? "is-ahead");
      entry.cell.classList.add(state);
      entry.state = state;
    }
    if (latest && latest !== this.latest) this.reveal(latest.cell);
    this.latest = latest;
  }

  /** Scrolls inside the ledger only, downwards in a long one: the page stays where it is. */
  reveal(cell) {
    const { scroller } = this;
    const row = cell.closest("tbody tr");
    if (row && this.isLong) scroller.scrollTop = row.offsetTop - scroller.clientHeight / 2;
    const names = (row ?? this.root.querySelector("tr")).firstElementChild.offsetWidth; // they stay at the left
    scroller.style.setProperty("--names", `${names}px`);
    const start = cell.getBoundingClientRect().left - scroller.getBoundingClientRect().left + scroller.scrollLeft;
    const most = start - names;
    const least = start + cell.offsetWidth - scroller.clientWidth;
    scroller.scrollLeft = Math.min(most, Math.max(least, scroller.scrollLeft));
  }
}
