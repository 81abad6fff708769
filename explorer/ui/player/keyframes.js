/** Index of the last [step, …] entry at or before `step`; -1 if all come later. */
export function keyframeAt(frames, step) {
  let low = 0;
  let high = frames.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle][0] <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The text that each keyframe shows, where null means: as before. */
export function textsOf(frames) {
  let current = null;
  return frames.map(([, , text]) => (current = text ?? current));
}
