/** What Streamlit calls: Stop goes when it is pressed, and hands the focus on to the button that comes in its place. */
export default function focusComponent() {
  const listening = new AbortController();
  let stop = null;
  const changes = new MutationObserver(() => {
    if (stop.isConnected || document.activeElement !== document.body) return;
    document.querySelector(".st-key-stopped button")?.focus();
  });
  const note = ({ target }) => {
    changes.disconnect();
    stop = target.closest("[class*='st-key-stop-'] button");
    if (stop) changes.observe(document.body, { childList: true, subtree: true });
  };
  document.addEventListener("focusin", note, { signal: listening.signal });
  return () => {
    listening.abort();
    changes.disconnect();
  };
}
