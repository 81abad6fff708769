import { Explanation } from "../glossary/explanation.js";
import { Terms } from "../glossary/terms.js";
import { received } from "../received.js";
import { keepInAddress } from "./address.js";
import { element, iconButton } from "./elements.js";
import { followGestures } from "./gestures.js";
import { Ledger } from "./ledger.js";
import { Picture } from "./picture.js";
import { Playing } from "./playing.js";
import { Program } from "./program.js";
import { withRun } from "./runs.js";
import { readSvg } from "./svg.js";
import { SETTLED_MILLISECONDS, Transport } from "./transport.js";
import { View } from "./view.js";

const ZOOM = 1.25;
const MOST_HEIGHT = 2000; // pixels; the style sheet gives less
const LARGE = 250; // parts of a graph, from which on it moves without transitions

/** The player that has the keys while the page itself has the focus. */
let foremost = null;

/** Plays one recording, alone or, given a conductor, in step with another. `renderStep(step)` draws at once; `go(step)` is what keys and buttons do. */
class Player extends Playing {
  constructor(parent, data, { onStep, onSelect, conductor }) {
    super();
    this.onStep = onStep ?? (() => {});
    this.onSelect = onSelect ?? (() => {});
    this.conductor = conductor;
    this.root = element("div", { class: "player", tabindex: "-1" });
    this.root.player = this;
    this.sought = null;
    this.listening = new AbortController();
    const { signal } = this.listening;
    this.root.addEventListener("keydown", (event) => this.pressed(event), { signal });
    this.root.addEventListener("pointerdown", () => (foremost = this), { signal });
    document.addEventListener("keydown", (event) => this.pressedOnPage(event), { signal });
    parent.replaceChildren(this.root);
    foremost = this;
    this.sizes = new ResizeObserver(() => this.resized());
    this.explanation = new Explanation(() => (this.conductor ?? this).pause());
    this.build(data, data.initial_step ?? 0);
  }

  /** New data: another recording starts over, the same one (in another language, say) stays where it is. */
  update(data) {
    const isSame = identity(data) === identity(this.data);
    const isMoved = data.initial_step !== this.data.initial_step;
    const { selected, reported } = this;
    const isPlaying = isSame && Boolean(this.timer);
    this.stop();
    const step = isSame && !isMoved ? this.step : data.initial_step ?? 0;
    const saysTheSame = isSame && data.language === this.data.language;
    if (saysTheSame) this.redraw(data, step);
    else this.build(data, step);
    if (!isSame) return;
    this.sought = null;
    if (this.picture?.select(selected)) this.view.reveal(this.picture.boxOf(selected));
    this.reported = reported;
    if (isPlaying) this.play();
    else this.settle();
  }

  build(data, step) {
    this.data = data;
    this.count = data.steps.length;
    const { words } = data;
    if (data.height) this.root.style.setProperty("--panel-height", `${data.height}px`);
    this.explanation.close();
    this.terms = new Terms(data.glossary ?? [], (key, word) => this.explanation.open(this.terms, key, word));
    const actions = {
      go: (to) => this.stepTo(to),
      by: (steps) => this.by(steps),
      byPass: (direction) => this.byPass(direction),
      toggle: () => this.toggle(),
      paced: () => this.timer && this.play(),
      select: (id) => this.select(id),
      linked: (text) => this.terms.linked(text),
      why: () => this.terms.link("order", words.why),
    };
    this.program = new Program(data.source ?? "", data.steps, words, (line) => this.goToLine(line), data.line_marks);
    this.transport = new Transport(data, actions, this.transport?.speed);
    this.ledger = new Ledger(data.ledger, words, actions);
    this.buildGraph(words);
    this.program.root.hidden = !data.source;
    const panels = [this.program.root, this.graph, this.transport.root, this.ledger.root];
    this.root.replaceChildren(element("div", { class: "layout" }, ...panels));
    this.openGraph(step);
    this.reported = this.renderStep(step);
  }

  /** Puts another picture of the same run in place of the last one; a long run's other panels take far longer. */
  redraw(data, step) {
    this.data = data;
    this.explanation.close();
    const before = this.graph;
    const hadFocus = before.matches(":focus-within");
    this.buildGraph(data.words);
    before.replaceWith(this.graph);
    if (hadFocus) this.stage.focus({ preventScroll: true });
    this.openGraph(step);
    this.reported = this.renderStep(step);
  }

  buildGraph(words) {
    const svg = readSvg(this.data.svg);
    this.stage = element("div", { class: "stage", tabindex: "0", role: "group", "aria-label": words.graph });
    const tools = element(
      "div",
      { class: "tools", role: "group", "aria-label": words.zoom },
      iconButton("in", words.zoom_in, () => this.view?.zoom(ZOOM)),
      iconButton("out", words.zoom_out, () => this.view?.zoom(1 / ZOOM)),
      iconButton("fit", words.zoom_fit, () => this.view?.fit(true)),
    );
    const past = element("button", { type: "button", class: "skip" }, words.skip_graph);
    past.addEventListener("click", () => this.transport.range.focus());
    const notice = element("div", { class: "notice", role: "note" }, this.data.notice ?? "");
    notice.hidden = !this.data.notice;
    const frame = element("div", { class: "frame" }, this.stage, this.legend(this.data.legend ?? [], words), tools);
    this.graph = element("section", { class: "graph-panel" }, past, notice, frame);
    this.picture = svg && new Picture(svg, this.data, words);
    this.view = svg && new View(this.stage, svg);
    // A part of a large graph gives way to other parts while stepping: all get the same room.
    const wanted = this.data.notice ? Infinity : this.view?.wantedHeight ?? 0;
    this.root.style.setProperty("--graph-height", `${Math.min(wanted, MOST_HEIGHT)}px`);
    tools.hidden = !svg;
    if (!svg) this.stage.append(element("p", { class: "empty" }, words.no_graph));
    else this.stage.append(svg);
    this.stage.classList.toggle("is-large", this.picture?.parts.size > LARGE);
    const hasDragged = followGestures(this.stage, () => this.view ?? { pan() {}, zoom() {} });
    this.stage.addEventListener("click", (event) => {
      if (!hasDragged()) this.toggleSelection(this.picture?.idOf(event.target));
    });
  }

  /** What the picture's shapes mean, folded away. */
  legend(entries, words) {
    const said = (text) => element("span", {}, ...this.terms.linked(text));
    const lines = entries.map(({ sign, text }) => element("li", {}, element("i", { class: `sign is-${sign}` }), said(text)));
    const folded = element("details", { class: "legend" }, element("summary", {}, words.legend), element("ul", {}, ...lines));
    folded.hidden = entries.length === 0;
    return folded;
  }

  resized() {
    this.program.measure();
    this.view?.resized();
  }

  openGraph(step) {
    this.sizes.disconnect();
    this.program.measure();
    this.sizes.observe(this.program.scroller);
    if (!this.picture) return;
    this.picture.measure();
    this.view.nodes = this.picture.nodeBoxes;
    const isDrawn = ({ target }) => this.picture.boxOf(target);
    const { steps } = this.data;
    const near = steps.slice(Math.max(0, step - 1)).find(isDrawn) ?? steps.slice(0, step).findLast(isDrawn);
    this.view.open(this.picture.boxOf(near?.target), this.regionAt(steps.indexOf(near) + 1));
    this.picture.select(null);
    this.sizes.observe(this.stage);
    if (document.fonts?.status === "loading") document.fonts.ready.then(() => this.picture?.measure());
  }

  /** The place of what the round of a step is about: where several are drawn, it is seen before the others. */
  regionAt(step) {
    const { rounds, steps } = this.data;
    if (rounds.length === 1) return undefined;
    const nr = rounds.findLastIndex((first) => first <= step);
    const ofRound = steps.slice(Math.max(0, rounds[nr] - 1), (rounds[nr + 1] ?? Infinity) - 1);
    return this.picture.boxAround([...new Set(ofRound.map(({ target }) => target))]);
  }

  /** Draws a step, synchronously. Returns the step, kept within bounds. */
  renderStep(step) {
    this.step = Math.max(0, Math.min(this.count, Math.round(step) || 0));
    const happened = this.data.steps[this.step - 1];
    if (this.transport.root.contains(this.explanation.word)) this.explanation.close();
    this.root.dataset.arrows = this.data.arrows ?? "gradient";
    this.root.dataset.phase = happened?.phase ?? "forward";
    this.picture?.render(this.step, happened?.target);
    this.program.render(this.step, happened?.span);
    this.transport.render(this.step);
    this.ledger.render(this.step);
    return this.step;
  }

  /** Goes to a step and, once nothing more follows, says so. */
  go(step) {
    const before = this.step;
    this.renderStep(step);
    this.view?.reveal(this.picture.boxOf(this.data.steps[this.step - 1]?.target), this.regionAt(this.step));
    if (this.step !== before) this.settle();
  }

  /** As `go`, by the user's hand: stops the playing. */
  stepTo(step) {
    if (this.conductor) return this.conductor.lead(this, step);
    this.pause();
    this.go(step);
  }

  by(steps) {
    if (this.conductor) this.conductor.by(steps);
    else this.stepTo(this.step + steps);
  }

  byPass(direction) {
    if (this.conductor) this.conductor.byPass(direction);
    else this.stepTo(this.transport.passBeside(this.step, direction));
  }

  /** While it plays nothing is told, unless the step is about a node that this part of the graph does not show. */
  settle() {
    clearTimeout(this.settling);
    if (this.timer && !this.isAstray) return;
    this.settling = setTimeout(() => {
      if (this.step === this.reported) return;
      this.reported = this.step;
      this.onStep(this.step, this.selected);
    }, SETTLED_MILLISECONDS);
  }

  /** Whether the step is about something that this part of the graph does not show. */
  get isAstray() {
    const { target } = this.data.steps[this.step - 1] ?? {};
    return Boolean(target && this.picture && !this.picture.parts.has(target));
  }

  get selected() {
    return this.sought ?? this.picture?.selected ?? null;
  }

  toggleSelection(id) {
    if (id) this.select(id === this.selected ? null : id);
  }

  /** What another part of a large graph shows is sought: it is told, so that Python can draw that part. */
  select(id) {
    const before = this.selected;
    const isElsewhere = Boolean(this.data.notice && id && this.picture && !this.picture.parts.has(id));
    this.sought = isElsewhere ? id : null;
    const selected = this.picture?.select(id) ?? this.sought;
    if (selected && !isElsewhere) this.view.reveal(this.picture.boxOf(selected));
    if (selected === before) return;
    if (!this.timer) this.reported = this.step;
    this.onSelect(selected, this.reported);
  }

  goToLine(line) {
    const spans = this.data.steps.map((step) => step.span);
    const starts = spans.findIndex((span) => span?.[0] === line);
    const covers = spans.findIndex((span) => span && span[0] <= line && line <= span[2]);
    const found = starts >= 0 ? starts : covers;
    if (found >= 0) this.stepTo(found + 1);
  }

  get at() {
    return this.step;
  }

  get last() {
    return this.count;
  }

  toggle() {
    if (this.conductor) this.conductor.toggle();
    else super.toggle();
  }

  /** Keys that act wherever in the player the focus is. */
  pressed(event) {
    foremost = this;
    const target = event.target;
    const isPressable = Boolean(target.closest?.("button, summary, [role=button]"));
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = this.picture?.idOf(target);
    const chosen = { Enter: id, " ": id }[event.key];
    if (chosen) this.toggleSelection(chosen);
    else if (isPressable && event.key === " ") return;
    else if (!this.obey(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  pressedOnPage(event) {
    const isFree = !document.activeElement || document.activeElement === document.body;
    if (!isFree || foremost !== this || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.obey(event)) event.preventDefault();
  }

  /** Does what a key says; false if it says nothing to us. */
  obey({ key, shiftKey }) {
    const act = {
      "Shift ArrowLeft": () => this.byPass(-1),
      "Shift ArrowRight": () => this.byPass(1),
      ArrowLeft: () => this.by(-1),
      ArrowRight: () => this.by(1),
      Home: () => this.by(-Infinity),
      End: () => this.by(Infinity),
      " ": () => this.toggle(),
      Escape: () => this.select(null),
      "+": () => this.view?.zoom(ZOOM),
      "=": () => this.view?.zoom(ZOOM),
      "-": () => this.view?.zoom(1 / ZOOM),
      0: () => this.view?.fit(true),
    }[shiftKey && key.startsWith("Arrow") ? `Shift ${key}` : key];
    act?.();
    return Boolean(act);
  }

  destroy() {
    this.explanation.close();
    this.stop();
    this.listening.abort();
    this.sizes.disconnect();
    this.root.remove();
    if (foremost === this) foremost = null;
  }
}

/** What makes two sets of data the same recording. */
const identity = ({ id, source, steps }) => id ?? JSON.stringify([source, steps.map(({ kind, span, target }) => [kind, span, target])]);

/**
 * Puts a player into an element of any page.
 *
 * @param {Element} parent is emptied first.
 * @param {object} data as `playback()` makes it.
 * @param {{onStep?: (step: number, selected: string | null) => void, onSelect?: (id: string | null, step: number) => void}} listeners
 * @returns {Player} with `go(step)`, `renderStep(step)`, `select(id)`, `play()`, `pause()`, `update(data)`, `destroy()`.
 */
export function mount(parent, data, listeners = {}) {
  return new Player(parent, data, listeners);
}

const players = new WeakMap();
const latest = new WeakMap();

/** Once what has been drawn is on the screen. */
const afterPaint = (act) => requestAnimationFrame(() => setTimeout(act));

/** What Streamlit calls: again with every new `data`, in the DOM of before. */
export default function component({ data, parentElement, setStateValue }) {
  latest.set(parentElement, data);
  withRun(received(data)).then((whole) => {
    if (latest.get(parentElement) === data) show(whole, parentElement, setStateValue);
  });
  return () => {
    latest.delete(parentElement);
    players.get(parentElement)?.player.destroy();
    players.delete(parentElement);
  };
}

function show(data, parentElement, setStateValue) {
  const place = parentElement.querySelector(".autograd-player");
  const tell = (step, selected) => players.get(parentElement).tell({ id: players.get(parentElement).player.data.id, step, selected });
  const known = players.get(parentElement);
  const tellPython = (at) => {
    keepInAddress({ step: at.step });
    setStateValue("at", at);
  };
  if (known) {
    known.tell = tellPython;
    known.player.update(data);
  } else {
    const player = mount(place, data, { onStep: tell, onSelect: (selected, step) => tell(step, selected) });
    players.set(parentElement, { player, tell: tellPython });
    afterPaint(() => players.has(parentElement) && setStateValue("painted", true));
  }
}
