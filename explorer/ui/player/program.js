import { element } from "./elements.js";

const KEYWORDS =
  "and as assert async await break class continue def del elif else except finally for from global if import in is " +
  "lambda nonlocal not or pass raise return try while with yield None True False";
const TOKENS = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<string>"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)/,
    /(?<number>\b\d[\d_.]*(?:[eE][+-]?\d+)?)/,
    /(?<word>[^\W\d]\w*)/,
  ].map((token) => token.source).join("|"),
  "gu",
);
const WORDS = new Set(KEYWORDS.split(" "));

/** The program text with line numbers, the evaluated sub-expression marked, and under it what was printed. */
export class Program {
  constructor(source, steps, words, onLine, marks = {}) {
    this.lines = source.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n");
    this.colours = coloursOf(this.lines);
    this.texts = this.lines.map(() => element("code", {}));
    this.rows = this.lines.map((_, i) => element("div", { class: "line", "data-line": i + 1 }, this.texts[i]));
    this.marked = [];
    this.lines.forEach((_, i) => this.draw(i, null));
    for (const { span } of steps) if (span && this.rows[span[0] - 1]) this.rows[span[0] - 1].classList.add("has-steps");
    for (const [line, mark] of Object.entries(marks)) this.signed(this.rows[line - 1], mark, words);
    this.scroller = element("div", { class: "lines", tabindex: "0", role: "group", "aria-label": words.program }, ...this.rows);
    this.scroller.style.setProperty("--digits", String(this.lines.length).length);
    this.scroller.addEventListener("click", (event) => {
      const row = event.target.closest(".line");
      if (row && String(getSelection()) === "") onLine(Number(row.dataset.line));
    });
    this.scroller.addEventListener("scroll", () => (this.scrollTop = this.scroller.scrollTop), { passive: true });
    this.shownOutput = -1;
    this.printed = runningOutput(steps);
    this.output = element("pre", { class: "printed", tabindex: "0", role: "group", "aria-label": words.output });
    const console = element("div", { class: "console" }, element("div", { class: "caption" }, words.output), this.output);
    console.hidden = this.printed.length === 0;
    this.root = element("section", { class: "program" }, this.scroller, console);
  }

  signed(row, mark, words) {
    if (!row) return;
    row.classList.add(`of-${mark}`);
    row.append(element("span", { class: "line-sign", role: "note" }, words[`line_${mark}`] ?? ""));
  }

  render(step, span) {
    for (const i of this.marked) {
      this.rows[i].classList.remove("is-current");
      this.draw(i, null);
    }
    this.marked = [];
    if (span) this.mark(span);
    this.print(step);
  }

  mark([line, column, endLine, endColumn]) {
    for (let i = line - 1; i <= Math.min(endLine, this.lines.length) - 1; i++) {
      const from = i === line - 1 ? offset(this.lines[i], column) : this.lines[i].search(/\S|$/);
      const to = i === endLine - 1 ? offset(this.lines[i], endColumn) : this.lines[i].length;
      this.draw(i, [from, to]);
      this.rows[i].classList.add("is-current");
      this.marked.push(i);
    }
    if (this.marked.length) this.reveal(this.marked[0]);
  }

  /** Reads the panel's size once, so that stepping reads nothing. */
  measure() {
    this.rowHeight = this.rows[0].offsetHeight;
    this.firstTop = this.rows[0].offsetTop - this.scroller.offsetTop;
    this.shownHeight = this.scroller.clientHeight;
  }

  /** Scrolls inside the panel only: the page stays where it is. */
  reveal(row) {
    const top = this.firstTop + row * this.rowHeight;
    const lowest = top - this.rowHeight;
    const highest = top + 2 * this.rowHeight - this.shownHeight;
    const scrollTop = Math.max(0, Math.min(lowest, Math.max(highest, this.scrollTop ?? 0)));
    if (scrollTop !== (this.scrollTop ?? 0)) this.scroller.scrollTop = this.scrollTop = scrollTop;
  }

  /** Writes a line as text nodes and spans, the marked part inside a <mark>. */
  draw(i, range) {
    const line = this.lines[i];
    const mark = range && range[1] > range[0] ? element("mark") : null;
    const pieces = [];
    for (const [from, to, colour] of this.colours[i]) {
      const cuts = [from, to, ...(range ?? [])].filter((cut) => cut >= from && cut <= to).sort((a, b) => a - b);
      for (let k = 0; k + 1 < cuts.length; k++) {
        if (cuts[k] === cuts[k + 1]) continue;
        const text = line.slice(cuts[k], cuts[k + 1]);
        const piece = colour ? element("span", { class: colour }, text) : text;
        if (!mark || cuts[k] < range[0] || cuts[k] >= range[1]) pieces.push(piece);
        else mark.append(piece);
        if (mark && cuts[k] === range[0]) pieces.push(mark);
      }
    }
    this.texts[i].replaceChildren(...pieces);
  }

  print(step) {
    const last = this.printed.findLastIndex((entry) => entry.step <= step);
    if (last === this.shownOutput) return;
    this.shownOutput = last;
    this.output.textContent = last < 0 ? "" : this.printed[last].text;
    this.output.scrollTop = this.output.scrollHeight;
  }
}

/** [{step, text}]: all that has been printed by then. */
function runningOutput(steps) {
  const printed = [];
  let text = "";
  steps.forEach((step, i) => {
    if (step.printed) printed.push({ step: i + 1, text: (text += step.printed) });
  });
  return printed;
}

/** Per line, pieces [from, to, colour] that cover it. */
function coloursOf(lines) {
  const pieces = lines.map(() => []);
  const source = lines.join("\n");
  const starts = [];
  lines.reduce((start, line) => (starts.push(start), start + line.length + 1), 0);
  let row = 0;
  const add = (from, to, colour) => {
    while (from < to) {
      while (row + 1 < lines.length && from >= starts[row + 1]) row++;
      const end = Math.min(to, starts[row] + lines[row].length);
      if (end > from) pieces[row].push([from - starts[row], end - starts[row], colour]);
      from = Math.max(end, from) + (end < to ? 1 : 0);
    }
  };
  let done = 0;
  for (const match of source.matchAll(TOKENS)) {
    const colour = colourOf(match.groups);
    if (!colour) continue;
    add(done, match.index, null);
    done = match.index + match[0].length;
    add(match.index, done, colour);
  }
  add(done, source.length, null);
  return pieces;
}

function colourOf({ comment, string, number, word }) {
  if (comment !== undefined) return "comment";
  if (string !== undefined) return "string";
  if (number !== undefined) return "number";
  return WORDS.has(word) ? "keyword" : null;
}

/** Python counts characters, JavaScript counts UTF-16 units. */
function offset(line, column) {
  return [...line].slice(0, column).join("").length;
}
