import { element } from "../player/elements.js";

/** Every word of autograd with a few lines; a search field; one entry can be opened from elsewhere. */
export class Glossary {
  constructor(entries, terms, words) {
    this.search = element("input", { type: "search", placeholder: words.search, "aria-label": words.search });
    this.entries = entries.map((entry) => ({
      key: entry.key,
      found: `${entry.name} ${entry.text}`.toLowerCase(),
      details: element("details", {}, element("summary", {}, entry.name), ...terms.written(entry)),
    }));
    this.nothing = element("p", { class: "quiet" }, words.nothing);
    this.search.addEventListener("input", () => this.filter());
    this.root = element("div", { class: "glossary" }, this.search, ...this.entries.map(({ details }) => details), this.nothing);
    this.filter();
  }

  filter() {
    const sought = this.search.value.trim().toLowerCase();
    let count = 0;
    for (const { found, details } of this.entries) {
      details.hidden = !found.includes(sought);
      count += details.hidden ? 0 : 1;
    }
    this.nothing.hidden = count > 0;
  }

  open(key) {
    this.search.value = "";
    this.filter();
    for (const entry of this.entries) entry.details.open = entry.key === key;
    const { details } = this.entries.find((entry) => entry.key === key) ?? {};
    details?.querySelector("summary").focus({ preventScroll: true });
    details?.scrollIntoView({ block: "nearest" });
  }
}
