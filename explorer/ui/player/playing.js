/** What plays by itself, at its transport's pace, to its end. Heirs have a `transport`, `at` and `last`, `go(to)` and `settle()`. */
export class Playing {
  timer = null;

  toggle() {
    if (this.timer) this.pause();
    else this.play();
  }

  play() {
    clearInterval(this.timer);
    if (this.at >= this.last) this.go(0);
    clearTimeout(this.settling);
    this.timer = setInterval(() => {
      this.go(this.at + 1);
      if (this.at >= this.last) this.pause();
    }, this.transport.millisecondsPerStep);
    this.transport.setPlaying(true);
  }

  pause() {
    if (!this.timer) return;
    this.stop();
    this.transport.setPlaying(false);
    this.settle();
  }

  /** Stops without a word. */
  stop() {
    clearInterval(this.timer);
    clearTimeout(this.settling);
    this.timer = null;
  }
}
