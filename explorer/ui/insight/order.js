import { element } from "../player/elements.js";

/** The engine's ready queue: what can run, first first, and what still waits for gradients. */
export class Order {
  constructor({ ready, waiting, said }, words) {
    this.root = element("div", { class: "order" }, element("p", { class: "status" }, ...words.linked(said)));
    if (ready.length) this.root.append(element("h5", {}, ...words.linked(words.ready)), element("ol", { class: "chips" }, ...ready.map((one) => chip(one))));
    if (waiting.length) this.root.append(element("h5", {}, words.waiting), element("ul", { class: "chips" }, ...waiting.map((one) => chip(one))));
  }
}

function chip({ name, variable, number, remaining }) {
  const facts = [variable, remaining ?? number].filter(Boolean).join(" · ");
  return element("li", { class: remaining ? "chip is-waiting" : "chip" }, element("b", {}, name), element("span", { class: "quiet" }, facts));
}
