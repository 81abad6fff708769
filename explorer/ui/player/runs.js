/**
 * What all pictures of a run share is sent once, in an element of its own, and found here by the players: each component
 * has a module of its own, so that they meet in the page.
 */
const runs = (globalThis.autogradRuns ??= new Map()); // by the element that holds it
const ARRIVED = "autograd-run-arrived";

/** Keeps the one run that an element holds, until it holds another. */
export function keepRun(element, run) {
  runs.set(element, run);
  document.dispatchEvent(new Event(ARRIVED));
}

export function dropRun(element) {
  runs.delete(element);
}

const runOf = ({ id, language }) => [...runs.values()].find((run) => run.id === id && run.language === language);

/** All that a player plays: a picture with what its run holds, as soon as that is there. */
export async function withRun(picture) {
  while (!runOf(picture)) await new Promise((arrived) => document.addEventListener(ARRIVED, arrived, { once: true }));
  const run = runOf(picture);
  return { ...run, ...picture, tracks: { ...run.tracks, ...picture.tracks } };
}
