/** The address opens the same elsewhere; no new entry in the history, and nothing is reloaded. A null goes. */
export function keepInAddress(parameters) {
  const address = new URL(window.location.href);
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, String(value));
  }
  window.history.replaceState(window.history.state, "", address);
}
