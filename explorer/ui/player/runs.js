/**
 * What all pictures of a run share is sent once, in an element of its own, and found here by the players: each component
 * has a module of its own, so that they meet in the page.
 */
const runs = (globalThis.autogradRuns ??= new Map());
const ARRIVED = "autograd-run-arrived";

const nameOf = ({ id, language }) => `${id} ${language}`;

/** Keeps the one run that an element holds, until it holds another. */
export function keepRun(element, run) {
  dropRun(element);
  runs.set(nameOf(run), { element, run });
  document.dispatchEvent(new Event(ARRIVED));
}

export function dropRun(element) {
  for (const [name, kept] of runs) if (kept.element === element) runs.delete(name);
}

/** All that a player plays: a picture with what its run holds, as soon as that is there. */
export async function withRun(picture) {
  const name = nameOf(picture);
  while (!runs.has(name)) await new Promise((arrived) => document.addEventListener(ARRIVED, arrived, { once: true }));
  const { run } = runs.get(name);
  return { ...run, ...picture, tracks: { ...run.tracks, ...picture.tracks } };
}
