const ELEMENTS = new Set(["svg", "g", "title", "path", "polygon", "polyline", "ellipse", "circle", "rect", "line", "text", "tspan"]);
const ATTRIBUTES = new Set([
  "id", "class", "d", "points", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy",
  "width", "height", "viewBox", "transform", "fill", "stroke", "stroke-width", "stroke-dasharray", "opacity",
  "text-anchor", "font-family", "font-size", "font-weight", "font-style", "xml:space",
]);

/**
 * Reads Graphviz's SVG, and keeps only what draws: known shapes and known attributes.
 * Labels come from strangers' programs; Graphviz escapes them, and this does not rely on it.
 * Returns null where the text is no SVG.
 */
export function readSvg(text) {
  const parsed = new DOMParser().parseFromString(text ?? "", "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg" || parsed.querySelector("parsererror")) return null;
  unlink(root);
  for (const part of [root, ...root.querySelectorAll("*")]) {
    if (ELEMENTS.has(part.localName)) keepKnownAttributes(part);
    else part.remove();
  }
  return document.importNode(root, true);
}

/** Replaces every link by what it holds. */
function unlink(root) {
  for (const link of [...root.querySelectorAll("*")].filter((part) => part.localName === "a")) link.replaceWith(...link.childNodes);
}

function keepKnownAttributes(part) {
  for (const attribute of [...part.attributes]) {
    const refersElsewhere = /url\s*\(|javascript:/i.test(attribute.value);
    if (!ATTRIBUTES.has(attribute.name) || refersElsewhere) part.removeAttribute(attribute.name);
  }
}
