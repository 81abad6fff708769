/** Makes an HTML element. Children that are text stay text: nothing here is ever parsed as markup. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/** Makes an SVG element. */
export function svgElement(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG_NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Fills the {placeholders} of a sentence. */
export function fill(sentence, values) {
  return (sentence ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// Drawn here, since a font may show ⏮ and ▶ as colourful emoji. On a 16 × 16 grid.
const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11.5 3v10L4.5 8z",
  next: "M4.5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
  play: "M4 2.5v11L13.5 8z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  in: "M7 3h2v4h4v2H9v4H7V9H3V7h4z",
  out: "M3 7h10v2H3z",
  fit: "M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z",
};

/** One of the icons, in the colour of the text around it. */
export function icon(name) {
  const path = svgElement("path", { d: ICONS[name], fill: "currentColor" });
  return svgElement("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, path);
}

/** A button with an icon; its name is also its tooltip. */
export function iconButton(name, label, onClick) {
  const button = element("button", { type: "button", class: `button ${name}`, "aria-label": label, title: label }, icon(name));
  button.addEventListener("click", onClick);
  return button;
}
