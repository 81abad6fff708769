import { received } from "../received.js";
import { keepInAddress } from "./address.js";
import { element } from "./elements.js";
import { mount } from "./player.js";
import { Playing } from "./playing.js";
import { withRun } from "./runs.js";
import { SETTLED_MILLISECONDS, Transport } from "./transport.js";

const SIDES = ["left", "right"];

/** Two players side by side, led by one transport through the moments that belong together: pairs of steps. */
class Pair extends Playing {
  constructor(parent, data, onMoment) {
    super();
    this.onMoment = onMoment;
    this.root = element("div", { class: "pair" });
    this.root.pair = this;
    parent.replaceChildren(this.root);
    this.build(data, data.initial_moment);
  }

  /** New data: other programs start over, the same ones (in another language, say) stay where they are. */
  update(data) {
    const isSame = data.id === this.data.id;
    if (isSame && data.sides[0].language === this.data.sides[0].language) return this.redraw(data);
    this.pause();
    this.players.forEach((player) => player.destroy());
    this.build(data, isSame ? this.at : data.initial_moment);
  }

  /** Other pictures of the same runs: what is played goes on. */
  redraw(data) {
    this.data = data;
    this.players.forEach((player, i) => player.update(data.sides[i]));
    this.settle();
  }

  build(data, moment) {
    this.data = data;
    this.last = data.moments.length - 1;
    const actions = {
      go: (to) => this.go(to),
      by: (moments) => this.by(moments),
      byPass: (direction) => this.byPass(direction),
      toggle: () => this.toggle(),
      paced: () => this.timer && this.play(),
    };
    const steps = data.moments.slice(1).map((pair, i) => this.leading(pair, data.moments[i]));
    this.transport = new Transport({ steps, words: data.sides[0].words, start_sentence: "" }, actions, this.transport?.speed);
    const places = data.sides.map(() => element("div", { class: "side-player" }));
    const sides = data.titles.map((title, i) => side(title, data.signs[i], SIDES[i], places[i]));
    const conductor = element("div", { class: "player is-conductor" }, this.transport.root);
    conductor.addEventListener("keydown", (event) => this.players[0].pressed(event));
    this.root.replaceChildren(element("div", { class: "sides" }, ...sides), conductor);
    this.players = places.map((place, i) => mount(place, data.sides[i], { conductor: this }));
    for (const player of this.players) player.root.classList.add("is-half");
    this.reported = moment;
    this.go(moment);
  }

  /** What the scrub bar marks: the event of the side that moves, the left one's first. */
  leading([left, right], [leftBefore]) {
    const [one, other] = this.data.sides;
    return left > leftBefore ? one.steps[left - 1] : other.steps[right - 1];
  }

  go(moment) {
    this.at = Math.max(0, Math.min(this.last, Math.round(moment) || 0));
    this.players.forEach((player, i) => player.go(this.data.moments[this.at][i]));
    this.transport.render(this.at);
    this.root.dataset.resting = this.resting;
    this.settle();
  }

  /** Says where it rests, and while it plays, where a graph no longer shows what happens. */
  settle() {
    clearTimeout(this.settling);
    if (!this.data.is_followed || (this.timer && !this.players.some((player) => player.isAstray))) return;
    this.settling = setTimeout(() => {
      if (this.at === this.reported) return;
      this.reported = this.at;
      this.onMoment(this.at);
    }, SETTLED_MILLISECONDS);
  }

  /** The side that has nothing to show at this moment, since only the other one moves. */
  get resting() {
    const now = this.data.moments[this.at];
    const before = this.data.moments[this.at - 1];
    return SIDES.find((_, i) => before && now[i] === before[i]) ?? "";
  }

  by(moments) {
    this.pause();
    this.go(this.at + moments);
  }

  byPass(direction) {
    this.pause();
    this.go(this.transport.passBeside(this.at, direction));
  }

  /** One of the players was asked for a step of its own: the first moment at which it gets there. */
  lead(player, step) {
    const i = this.players.indexOf(player);
    const found = this.data.moments.findIndex((pair) => pair[i] >= step);
    this.pause();
    this.go(found < 0 ? this.last : found);
  }

  destroy() {
    this.stop();
    this.players.forEach((player) => player.destroy());
    this.root.remove();
  }
}

function side(title, sign, name, place) {
  const heading = element("h3", {}, element("i", { "aria-hidden": "true" }, sign), title);
  return element("section", { class: `side is-${name}`, "aria-label": title }, heading, place);
}

const pairs = new WeakMap();
const newest = new WeakMap();

/** What Streamlit calls for two recordings: again with every new `data`, in the DOM of before. */
export default function pairComponent({ data: sent, parentElement, setStateValue }) {
  const data = received(sent);
  newest.set(parentElement, sent);
  Promise.all(data.sides.map(withRun)).then((sides) => {
    if (newest.get(parentElement) === sent) showPair({ ...data, sides }, parentElement, setStateValue);
  });
  return () => {
    newest.delete(parentElement);
    leave(pairs.get(parentElement)?.pair.data.address);
    pairs.get(parentElement)?.pair.destroy();
    pairs.delete(parentElement);
  };
}

function showPair(data, parentElement, setStateValue) {
  const known = pairs.get(parentElement);
  const tell = (moment) => {
    keep(data, moment);
    setStateValue("at", { id: data.id, moment });
  };
  if (known) {
    known.tell = tell;
    known.pair.update(data);
  } else {
    const place = parentElement.querySelector(".autograd-pair");
    const pair = new Pair(place, data, (moment) => pairs.get(parentElement)?.tell(moment));
    pairs.set(parentElement, { pair, tell });
  }
  keep(data, pairs.get(parentElement).pair.at);
}

/** The address opens the same pair at the same moment. */
function keep({ address, moments }, moment) {
  if (address) keepInAddress({ ...address, step: moments[moment][0] });
}

/** Once the pair is gone, the address speaks of it no more. */
function leave(address) {
  keepInAddress(Object.fromEntries(Object.keys(address ?? {}).map((name) => [name, null])));
}
