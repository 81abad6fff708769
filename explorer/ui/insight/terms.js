import { element } from "../player/elements.js";

/** Finds the words of the glossary in running text and makes each, where it first stands, a way to its entry. */
export class Terms {
  constructor(entries, explain) {
    this.keys = new Map(entries.flatMap(({ key, match }) => match.split("|").map((word) => [word.toLowerCase(), key])));
    this.explain = explain;
    const words = [...this.keys.keys()].sort((one, other) => other.length - one.length).map(escaped);
    this.pattern = new RegExp(`(${words.join("|")})`, "giu");
  }

  /** The text as nodes. `known` are keys of entries that need no link here. */
  linked(text, known = []) {
    const seen = new Set(known);
    return text.split(this.pattern).map((part, k) => {
      const key = k % 2 ? this.keys.get(part.toLowerCase()) : null;
      if (!key || seen.has(key)) return part;
      seen.add(key);
      const link = element("button", { type: "button", class: "word" }, part);
      link.addEventListener("click", () => this.explain(key));
      return link;
    });
  }
}

/** A word as a pattern; a Latin one only where it stands alone, without an underscore or dot before or behind. */
function escaped(word) {
  const literal = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return /^[\x20-\x7e]+$/.test(word) ? `(?<![\\w.])${literal}(?![\\w])` : literal;
}
