const MOST = 4; // pixels per unit of the SVG
const LEAST = 0.05;
const COMFORTABLE = 1.25; // a small graph is not blown up further than this
const LEGIBLE = 0.7; // a large one does not start smaller than this
const MARGIN = 14; // pixels around what must be seen
const CORNERS = ".legend > summary, .tools"; // lie over the stage
const GLIDE_MILLISECONDS = 220;

/**
 * What part of the graph is seen: pan, zoom, fit. `box` is that part, in the units of the SVG's viewBox.
 * The SVG is as large as its content at the present scale and is shifted under the stage, which costs no layout.
 */
export class View {
  constructor(stage, svg) {
    this.stage = stage;
    this.svg = svg;
    const [x, y, width, height] = (svg.getAttribute("viewBox") ?? "0 0 100 100").split(/[\s,]+/).map(Number);
    this.content = { x, y, width, height };
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    // Until it is shown, as large as it was laid out: around tiny text browsers measure too large a box.
    Object.assign(svg.style, { width: `${width}px`, height: `${height}px` });
    this.box = null;
    this.above = MARGIN;
    this.measure();
  }

  /** Reads the stage's size once, so that stepping reads nothing. */
  measure() {
    this.size = { width: this.stage.clientWidth || 1, height: this.stage.clientHeight || 1 };
    const { left, top } = this.stage.getBoundingClientRect();
    this.corners = [...(this.stage.parentElement?.querySelectorAll(CORNERS) ?? [])].map((corner) => {
      const { x, y, width, height } = corner.getBoundingClientRect();
      return { x: x - left, y: y - top, width, height };
    });
  }

  get scale() {
    return this.size.width / this.box.width;
  }

  /** Pixels that the whole graph takes where nothing is scaled down. */
  get wantedHeight() {
    return this.content.height + 2 * MARGIN;
  }

  fitScale() {
    const { width, height } = this.size;
    const whole = Math.min((width - 2 * MARGIN) / this.content.width, (height - this.above - MARGIN) / this.content.height);
    return Math.max(LEAST, Math.min(COMFORTABLE, whole));
  }

  /** The whole graph; below the legend and the buttons where one of them would lie over a node. */
  fit(glides = false) {
    this.isFitted = true;
    this.above = MARGIN;
    const whole = this.around(this.content, this.fitScale());
    if (!this.isCovered(whole)) return this.show(whole, glides);
    this.above = MARGIN / 2 + Math.max(...this.corners.map(({ y, height }) => y + height));
    this.show(this.around(this.content, this.fitScale()), glides);
  }

  /** Whether a corner of the stage would hide a node if this piece of the graph were shown. */
  isCovered(piece) {
    const scale = this.size.width / piece.width;
    const nodes = (this.nodes ?? []).map(({ x, y, width, height }) => (
      { x: (x - piece.x) * scale, y: (y - piece.y) * scale, width: width * scale, height: height * scale }
    ));
    return this.corners.some((corner) => nodes.some((node) => overlap(corner, node)));
  }

  /** The whole graph; where that would be too small to read, a legible piece around `focus`, of the region that it is in. */
  open(focus, region) {
    this.measure();
    this.fit();
    if (this.fitScale() >= LEGIBLE || !focus) return;
    this.isFitted = false;
    this.show(this.around(focus, LEGIBLE, region));
  }

  /** The piece of the graph with a box in its middle, as far as the ends of its region, and of the graph, allow. */
  around(box, scale, region = this.content) {
    const wide = this.span("x", "width", box, scale, region);
    const high = this.span("y", "height", box, scale, region);
    return { x: wide.start, y: high.start, width: wide.length, height: high.length };
  }

  span(start, extent, box, scale, region) {
    const length = this.size[extent] / scale;
    const within = (bounds, wanted) => {
      const first = bounds[start] - (start === "y" ? this.above : MARGIN) / scale;
      const last = bounds[start] + bounds[extent] + MARGIN / scale - length;
      return first > last ? (first + last) / 2 : Math.max(first, Math.min(last, wanted));
    };
    const centred = box[start] + box[extent] / 2 - length / 2;
    return { length, start: within(this.content, within(region, centred)) };
  }

  zoom(factor, at = { x: this.size.width / 2, y: this.size.height / 2 }) {
    const scale = Math.max(LEAST, Math.min(MOST, this.scale * factor));
    const x = this.box.x + at.x / this.scale;
    const y = this.box.y + at.y / this.scale;
    const { width, height } = this.size;
    this.isFitted = false;
    this.show({ x: x - at.x / scale, y: y - at.y / scale, width: width / scale, height: height / scale });
  }

  pan(dx, dy) {
    this.isFitted = false;
    this.show({ ...this.box, x: this.box.x - dx / this.scale, y: this.box.y - dy / this.scale });
  }

  /** Moves only if a part (a box in the SVG's user units) is out of sight, and then brings in what it can of its region. */
  reveal(box, region) {
    if (!box || this.isFitted) return;
    const margin = MARGIN / this.scale;
    const { x, y, width, height } = this.goal ?? this.box;
    const isSeen =
      box.x >= x + margin && box.x + box.width <= x + width - margin &&
      box.y >= y + margin && box.y + box.height <= y + height - margin;
    if (!isSeen) this.show(this.around(box, this.scale, region), true);
  }

  resized() {
    this.measure();
    if (this.isFitted || !this.box) this.fit();
    else this.show(this.around(this.box, this.scale * (this.size.width / this.lastWidth || 1)));
  }

  show(box, glides = false) {
    cancelAnimationFrame(this.frame);
    this.goal = null;
    this.lastWidth = this.size.width;
    this.stage.classList.toggle("is-fitted", Boolean(this.isFitted));
    if (glides && this.box && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.glide(this.box, box);
    else this.apply(box);
  }

  glide(from, to) {
    this.goal = to;
    const start = performance.now();
    const move = (now) => {
      const part = Math.min(1, Math.max(0, (now - start) / GLIDE_MILLISECONDS));
      const eased = 1 - (1 - part) ** 3;
      const between = (name) => from[name] + (to[name] - from[name]) * eased;
      this.apply({ x: between("x"), y: between("y"), width: between("width"), height: between("height") });
      if (part < 1) this.frame = requestAnimationFrame(move);
      else this.goal = null;
    };
    this.frame = requestAnimationFrame(move);
  }

  apply(box) {
    this.box = box;
    const { style } = this.svg;
    const { scale } = this;
    if (scale !== this.drawnScale) {
      this.drawnScale = scale;
      style.width = `${this.content.width * scale}px`;
      style.height = `${this.content.height * scale}px`;
    }
    // Whole pixels: text stays sharp.
    const left = Math.round((this.content.x - box.x) * scale);
    const top = Math.round((this.content.y - box.y) * scale);
    style.transform = `translate(${left}px, ${top}px)`;
  }
}

const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
