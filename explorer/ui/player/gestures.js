const CLICK_PIXELS = 4; // a pointer that moved less than this has clicked

/**
 * Drag pans, two fingers or Ctrl and the wheel zoom; the plain wheel zooms only while the stage has focus, so that a
 * reader who scrolls past is not caught.
 *
 * @returns {() => boolean} whether the pointer has just dragged, so that a click is none.
 */
export function followGestures(stage, viewOf) {
  const pointers = new Map();
  let travelled = 0;
  const middle = () => {
    const all = [...pointers.values()];
    const x = all.reduce((sum, point) => sum + point.x, 0) / all.length;
    const y = all.reduce((sum, point) => sum + point.y, 0) / all.length;
    const spread = all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0;
    return { x, y, spread };
  };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button > 0 || event.target.closest("button")) return;
    if (pointers.size === 0) travelled = 0;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  stage.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = middle();
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = middle();
    travelled += Math.hypot(after.x - before.x, after.y - before.y) + Math.abs(after.spread - before.spread);
    if (travelled < CLICK_PIXELS) return;
    if (!stage.hasPointerCapture(event.pointerId)) stage.setPointerCapture(event.pointerId);
    stage.classList.add("is-dragged");
    const frame = stage.getBoundingClientRect();
    viewOf().pan(after.x - before.x, after.y - before.y);
    if (before.spread) viewOf().zoom(after.spread / before.spread, { x: after.x - frame.x, y: after.y - frame.y });
  });
  for (const ending of ["pointerup", "pointercancel", "lostpointercapture"]) {
    stage.addEventListener(ending, (event) => {
      pointers.delete(event.pointerId);
      if (pointers.size === 0) stage.classList.remove("is-dragged");
    });
  }
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !stage.matches(":focus-within")) return;
    event.preventDefault();
    const frame = stage.getBoundingClientRect();
    viewOf().zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - frame.x, y: event.clientY - frame.y });
  }, { passive: false });
  return () => travelled >= CLICK_PIXELS;
}
