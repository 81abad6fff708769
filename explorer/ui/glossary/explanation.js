import { element } from "../player/elements.js";

const TO_WORD = 6; // pixels between the word and its explanation
const TO_WINDOW = 8; // pixels to the edge of the window

/** What a word means, in a few lines beside the word. Esc, a press elsewhere or the word itself closes it. */
export class Explanation {
  /** `onOpen` is called before anything is shown. */
  constructor(onOpen = () => {}) {
    this.onOpen = onOpen;
    this.root = element("div", { class: "explanation", popover: "manual", role: "dialog", tabindex: "-1", "aria-live": "off" });
    this.word = null;
  }

  /** Shows an entry of `terms`; of a word in the explanation itself, in the place of the one that is shown. */
  open(terms, key, word) {
    const isInside = this.root.contains(word);
    if (word === this.word) return this.close();
    const entry = terms.entries.get(key);
    this.root.setAttribute("aria-label", entry.name);
    this.root.replaceChildren(element("h4", {}, entry.name), ...terms.written(entry));
    if (!isInside) this.show(word);
    this.place();
    this.root.scrollTop = 0;
    this.root.focus({ preventScroll: true });
  }

  show(word) {
    this.close();
    this.onOpen();
    this.word = word;
    word.after(this.root); // so that Tab goes on from the word
    word.setAttribute("aria-expanded", "true");
    this.root.showPopover();
    this.listening = new AbortController();
    const { signal } = this.listening;
    document.addEventListener("keydown", (event) => this.pressed(event), { capture: true, signal });
    document.addEventListener("pointerdown", (event) => this.holds(event.composedPath()[0]) || this.close(), { capture: true, signal });
    this.root.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !this.holds(relatedTarget) && this.close(), { signal });
    window.addEventListener("scroll", (event) => event.target !== this.root && this.place(), { capture: true, passive: true, signal });
    window.addEventListener("resize", () => this.place(), { signal });
  }

  holds(target) {
    return this.root.contains(target) || Boolean(this.word?.contains(target));
  }

  pressed(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.close();
  }

  /** Below the word, or above it where there is more room. */
  place() {
    const word = this.word.getBoundingClientRect();
    const { width, height } = this.root.getBoundingClientRect();
    const room = window.innerHeight - word.bottom - TO_WORD - TO_WINDOW;
    const top = height <= room || room >= word.top ? word.bottom + TO_WORD : word.top - TO_WORD - height;
    const left = Math.min(word.left, window.innerWidth - width - TO_WINDOW);
    this.root.style.top = `${Math.max(TO_WINDOW, top)}px`;
    this.root.style.left = `${Math.max(TO_WINDOW, left)}px`;
  }

  /** The focus, if it is here, goes back to the word. */
  close() {
    if (!this.word) return;
    this.listening.abort();
    this.word.setAttribute("aria-expanded", "false");
    if (this.root.matches(":focus-within")) this.word.focus({ preventScroll: true });
    this.word = null;
    if (this.root.matches(":popover-open")) this.root.hidePopover();
    this.root.remove();
  }
}
