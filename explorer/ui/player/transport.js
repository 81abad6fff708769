import { element, fill, icon, iconButton } from "./elements.js";
import { memoryAt, memoryBar } from "./memory.js";

export const SETTLED_MILLISECONDS = 250; // at one step, before Python is told
const SPEEDS = [0.5, 1, 2];
const SECONDS_PER_STEP = 1.2;
const LONG = 120; // columns; a sentence that is longer, or longer still, is set smaller, so that it fits its place
const LONGER = 200;
const MOST_TICKS = 160; // more would run into each other: then the coloured bands alone remain
const SHAPE_PIXELS = 13; // with less room for each event, the ticks are mere strokes

/** Buttons, speed, scrub bar with a mark per event, where we are, and what has just happened. */
export class Transport {
  constructor(data, actions, speed = SPEEDS.indexOf(1)) {
    this.data = data;
    this.actions = actions;
    this.count = data.steps.length;
    this.passes = Math.max(0, ...data.steps.map((step) => step.pass ?? 0));
    this.speed = speed;
    this.buildControls();
    this.buildScrub();
    this.where = element("div", { class: "where" });
    this.sentence = element("p", { class: "sentence", tabindex: "-1", "aria-live": "polite" });
    const controls = element("div", { class: "controls" }, this.buttons, this.scrub, this.pace);
    this.story = element("div", { class: "story" }, element("div", { class: "heading" }, this.where, this.jump), this.sentence);
    this.root = element("section", { class: "transport" }, controls, this.story);
  }

  buildControls() {
    const { words, steps } = this.data;
    const { go, by, byPass, toggle } = this.actions;
    this.starts = steps.flatMap((step, i) => (step.kind === "BackwardStarted" ? [i + 1] : []));
    this.play = iconButton("play", words.play, toggle);
    this.back = [iconButton("first", words.first, () => go(0)), iconButton("back", words.back, () => by(-1))];
    this.forth = [iconButton("next", words.next, () => by(1)), iconButton("last", words.last, () => go(this.count))];
    this.buttons = element("div", { class: "buttons", role: "group", "aria-label": words.controls }, ...this.back, this.play, ...this.forth);
    this.pace = element("button", { type: "button", class: "button speed" });
    this.pace.addEventListener("click", () => this.setSpeed((this.speed + 1) % SPEEDS.length));
    this.setSpeed(this.speed);
    const [label, title] = this.starts.length > 1 ? [words.next_pass, words.pass_keys] : [words.to_backward, ""];
    this.jump = element("button", { type: "button", class: "button jump", title }, element("i", { class: "mark is-backward" }), label);
    this.jump.hidden = this.starts.length === 0;
    this.jump.addEventListener("click", () => byPass(1));
  }

  buildScrub() {
    const { steps, words } = this.data;
    this.progress = element("i", { class: "progress" });
    const rail = element("div", { class: "rail", "aria-hidden": "true" }, this.progress);
    steps.forEach((step, i) => {
      const next = steps[i + 1];
      if (step.phase === "backward" && steps[i - 1]?.phase !== "backward") this.band = { from: i };
      if (step.phase === "backward" && next?.phase !== "backward") rail.append(this.bandTo(i + 1));
    });
    new ResizeObserver(() => rail.classList.toggle("is-dense", this.count * SHAPE_PIXELS > rail.clientWidth)).observe(rail);
    if (this.count <= MOST_TICKS) steps.forEach((step, i) => rail.append(this.tick(step, i + 1)));
    this.range = element("input", { type: "range", min: 0, max: this.count, step: 1, value: 0, "aria-label": words.scrub });
    this.range.addEventListener("input", () => this.actions.go(Number(this.range.value)));
    this.range.addEventListener("pointermove", (event) => this.preview(event));
    const { memory } = this.data;
    const bar = memory?.most ? [memoryBar(memory, this.count)] : [];
    this.scrub = element("div", { class: "scrub" }, ...bar, rail, this.range);
  }

  /** Where the next backward pass starts, after the last one again the first; or the one before, or the beginning. */
  passBeside(step, direction) {
    if (direction < 0) return this.starts.findLast((start) => start < step) ?? 0;
    return this.starts.find((start) => start > step) ?? this.starts[0] ?? step;
  }

  bandTo(end) {
    const { from } = this.band;
    return element("i", { class: "band", style: `left:${this.percent(from)}%;width:${this.percent(end - from)}%` });
  }

  tick(step, at) {
    return element("i", { class: `mark tick is-${markOf(step)}`, style: `left:${this.percent(at)}%` });
  }

  percent(step) {
    return this.count ? (100 * step) / this.count : 0;
  }

  /** The tooltip tells what a click here would show. */
  preview(event) {
    const thumb = 16;
    const { left, width } = this.range.getBoundingClientRect();
    const part = (event.clientX - left - thumb / 2) / Math.max(1, width - thumb);
    const step = Math.max(0, Math.min(this.count, Math.round(part * this.count)));
    const { memory, words } = this.data;
    const held = memory?.most ? ` · ${fill(words.memory, { bytes: memoryAt(memory, step) })}` : "";
    this.range.title = `${step} · ${this.sentenceOf(step)}${held}`;
  }

  setSpeed(index) {
    this.speed = index;
    const said = `${SPEEDS[index]}×`;
    this.pace.textContent = said;
    this.pace.title = fill(this.data.words.speed, { speed: said });
    this.pace.setAttribute("aria-label", this.pace.title);
    this.actions.paced();
  }

  get millisecondsPerStep() {
    return (SECONDS_PER_STEP * 1000) / SPEEDS[this.speed];
  }

  setPlaying(isPlaying) {
    const label = isPlaying ? this.data.words.pause : this.data.words.play;
    this.play.replaceChildren(icon(isPlaying ? "pause" : "play"));
    this.play.title = label;
    this.play.setAttribute("aria-label", label);
    this.play.classList.toggle("is-playing", isPlaying);
  }

  sentenceOf(step) {
    return step === 0 ? this.data.start_sentence : this.data.steps[step - 1].sentence;
  }

  render(step) {
    const happened = this.data.steps[step - 1];
    const label = this.labelOf(step, happened);
    this.range.value = step;
    this.range.setAttribute("aria-valuetext", label);
    this.progress.style.width = `calc(${this.percent(step)}% + 4px)`;
    const hasFocus = this.story.matches(":focus-within");
    const why = happened?.kind === "NodeRan" && this.actions.why ? [" · ", this.actions.why()] : [];
    this.where.replaceChildren(element("i", { class: `mark is-${happened ? markOf(happened) : "start"}` }), element("span", {}, label, ...why));
    const said = this.sentenceOf(step);
    const columns = [...said].reduce((count, sign) => count + (sign.codePointAt(0) >= 0x2e80 ? 2 : 1), 0);
    this.sentence.replaceChildren(...this.worded(said, happened));
    if (hasFocus && !this.story.matches(":focus-within")) this.sentence.focus({ preventScroll: true }); // Tab goes on from here, not from the top of the page
    this.sentence.scrollTop = 0;
    this.sentence.classList.toggle("is-long", columns > LONG);
    this.sentence.classList.toggle("is-longer", columns > LONGER);
    this.sentence.classList.toggle("is-error", happened?.kind === "Raised");
    for (const button of this.back) setDisabled(button, step === 0);
    for (const button of this.forth) setDisabled(button, step === this.count);
  }

  /** A sentence with the words of the glossary as ways into it; what the program printed is its own. */
  worded(said, happened) {
    const { linked } = this.actions;
    return linked && happened?.kind !== "Printed" ? linked(said) : [said];
  }

  labelOf(step, happened) {
    const { words } = this.data;
    const parts = [fill(words.step, { step, steps: this.count })];
    if (happened?.pass) parts.push(fill(words.backward_pass, { pass: happened.pass, passes: this.passes }));
    else if (happened?.kind === "Operation") parts.push(words.forward);
    return parts.join(" · ");
  }
}

/** Stays focusable, so that a keyboard user who reaches the end is not thrown out. */
function setDisabled(button, isDisabled) {
  button.setAttribute("aria-disabled", String(isDisabled));
}

/** Which of the marks an event gets; each has a colour and a shape. */
function markOf(step) {
  if (step.kind === "Raised") return "error";
  if (step.kind === "GradCleared") return "reset";
  return step.phase === "backward" ? "backward" : "forward";
}
