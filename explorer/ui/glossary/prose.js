import { element } from "../player/elements.js";
import { received } from "../received.js";
import { Explanation } from "./explanation.js";
import { Terms } from "./terms.js";

const explanations = new WeakMap();

/** What Streamlit calls: a paragraph in which the words of the glossary open their explanations. */
export default function component({ data: sent, parentElement }) {
  const data = received(sent);
  explanations.get(parentElement)?.close();
  const explanation = new Explanation();
  explanations.set(parentElement, explanation);
  const terms = new Terms(data.glossary, (key, word) => explanation.open(terms, key, word));
  const said = element("p", { class: data.is_lead ? "prose is-lead" : "prose" }, ...terms.linked(data.text));
  parentElement.querySelector(".autograd-prose").replaceChildren(said);
  return () => explanation.close();
}
