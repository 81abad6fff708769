import { element } from "../player/elements.js";

/** Finds the words of the glossary in running text and makes each, where it first stands, a way to its entry. */
export class Terms {
  /** `explain(key, word)` opens an entry; `word` is the button that was pressed. */
  constructor(entries, explain) {
    this.entries = new Map(entries.map((entry) => [entry.key, entry]));
    this.explain = explain;
    this.keys = new Map(entries.flatMap(({ key, match }) => match.split("|").flatMap((word) => [[word, key], [capitalised(word), key]])));
    const words = [...this.keys.keys()].filter(Boolean).sort((one, other) => other.length - one.length).map(escaped);
    this.pattern = words.length ? new RegExp(`(${words.join("|")})`, "gu") : null;
  }

  /** The text as nodes. `seen` are keys of entries that need no link any more; what is linked here joins them. */
  linked(text, seen = new Set()) {
    if (!this.pattern) return [text];
    return text.split(this.pattern).map((part, k) => {
      const key = k % 2 ? this.keys.get(part) : null;
      if (!key || seen.has(key)) return part;
      seen.add(key);
      return this.link(key, part);
    });
  }

  /** A way to an entry, as a button. */
  link(key, label) {
    const link = element("button", { type: "button", class: "word", "aria-expanded": "false" }, label);
    link.addEventListener("click", () => this.explain(key, link));
    return link;
  }

  /** What an entry says, its `code` set as code and the words of other entries linked, then its line of code. */
  written({ key, text, code }) {
    const seen = new Set([key]);
    const said = text.split("`").flatMap((part, k) => (k % 2 ? [element("code", {}, part)] : this.linked(part, seen)));
    const lines = code ? [element("pre", {}, element("code", {}, code))] : [];
    return [element("p", {}, ...said), ...lines];
  }
}

const capitalised = (word) => word.slice(0, 1).toUpperCase() + word.slice(1);

/** A word as a pattern; a Latin one only where it stands alone, without an underscore or dot before or behind. */
function escaped(word) {
  const literal = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const before = /^\w/.test(word) ? "(?<![\\w.])" : "";
  return `${before}${literal}${/\w$/.test(word) ? "(?!\\w)" : ""}`;
}
