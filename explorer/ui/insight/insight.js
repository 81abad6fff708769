import { element } from "../player/elements.js";
import { Glossary } from "./glossary.js";
import { Holdings } from "./holdings.js";
import { Matrices } from "./matrices.js";
import { Numbers } from "./numbers.js";
import { Order } from "./order.js";
import { Terms } from "../glossary/terms.js";
import { received } from "../received.js";

const TABS = ["numbers", "jacobian", "saved", "order", "glossary"];

/** Tabs about one node or leaf. New data keeps the tab that is open, the focus, and what is looked up in the glossary. */
class Insight {
  constructor(parent, data) {
    this.chosen = TABS[0];
    this.root = element("div", { class: "insight" });
    parent.replaceChildren(this.root);
    this.update(data);
  }

  update(data) {
    const words = { ...data.words, linked: (text) => this.terms.linked(text) };
    const spoken = JSON.stringify([data.words, data.glossary]);
    if (spoken !== this.spoken) this.build(data.glossary, words);
    this.spoken = spoken;
    this.panels = {
      numbers: new Numbers(data.numbers, words).root,
      jacobian: new Matrices(data.jacobian, words).root,
      saved: new Holdings(data.saved, words).root,
      order: new Order(data.order, words).root,
      glossary: this.glossary.root,
    };
    const hadFocus = this.root.matches(":focus-within");
    this.choose(this.chosen);
    this.about.replaceChildren(...this.linksTo(data));
    if (hadFocus && !this.root.matches(":focus-within")) this.tabs[this.chosen].focus({ preventScroll: true });
  }

  /** What the words alone make, and stays as long as they do. */
  build(glossary, words) {
    this.terms = new Terms(glossary, (key) => this.explain(key));
    this.glossary = new Glossary(glossary, this.terms, words);
    this.tabs = Object.fromEntries(TABS.map((name) => [name, this.tab(name, words)]));
    const bar = element("div", { class: "tabs", role: "tablist", "aria-label": words.tabs }, ...Object.values(this.tabs));
    bar.addEventListener("keydown", (event) => this.move(event));
    this.place = element("div", { class: "panel", role: "tabpanel" });
    this.about = element("p", { class: "terms" });
    this.root.replaceChildren(bar, this.place, this.about);
  }

  explain(key) {
    this.choose("glossary");
    this.glossary.open(key);
  }

  tab(name, words) {
    const tab = element("button", { type: "button", role: "tab", class: "tab" }, words[name]);
    tab.addEventListener("click", () => this.choose(name));
    return tab;
  }

  choose(name) {
    this.chosen = name;
    for (const [other, tab] of Object.entries(this.tabs)) {
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
    }
    this.place.dataset.tab = name;
    this.place.setAttribute("aria-label", this.tabs[name].textContent);
    if (this.place.firstChild !== this.panels[name]) this.place.replaceChildren(this.panels[name]); // else its focus would go
  }

  move(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(TABS[(TABS.indexOf(this.chosen) + by + TABS.length) % TABS.length]);
    this.tabs[this.chosen].focus();
  }

  /** The words that stand here, each a way into the glossary. */
  linksTo({ terms, glossary, words }) {
    const known = new Map(glossary.map(({ key, name }) => [key, name]));
    const links = terms.map((key) => {
      const link = element("button", { type: "button", class: "term" }, known.get(key) ?? key);
      link.addEventListener("click", () => this.explain(key));
      return link;
    });
    return [element("span", { class: "quiet" }, words.terms), ...links];
  }
}

/** Puts a panel into an element of any page, which is emptied first. */
export function mountInsight(parent, data) {
  return new Insight(parent, data);
}

const insights = new WeakMap();

/** What Streamlit calls: again with every new `data`, in the DOM of before. */
export default function component({ data: sent, parentElement }) {
  const data = received(sent);
  const known = insights.get(parentElement);
  if (known) known.update(data);
  else insights.set(parentElement, mountInsight(parentElement.querySelector(".autograd-insight"), data));
  return () => insights.delete(parentElement);
}
