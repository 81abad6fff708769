import { element } from "../player/elements.js";

/** Every word of autograd with a few lines; a search field; one entry can be opened from elsewhere. */
export class Glossary {
  constructor(entries, words) {
    this.search = element("input", { type: "search", placeholder: words.search, "aria-label": words.search });
    this.entries = entries.map(({ key, name, text }) => ({ key, found: `${name} ${text}`.toLowerCase(), details: element("details", {}, element("summary", {}, name), element("p", {}, ...code(text, (part) => words.linked(part, [key])))) }));
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

/** Text with its `code` set as code, and what is linked in the rest. */
function code(text, linked) {
  return text.split("`").flatMap((part, k) => (k % 2 ? [element("code", {}, part)] : linked(part)));
}
