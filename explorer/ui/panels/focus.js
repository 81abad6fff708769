/**
 * What Streamlit calls: what goes when it is pressed hands the focus on. Stop, to the button that comes in its place;
 * an entry of a menu, to the button that opened it. And what runs a text runs one that was stopped, too, though
 * Streamlit sees that nothing has changed in it.
 */
export default function focusComponent() {
  const listening = new AbortController();
  let pressed = null;
  let opener = null;
  const changes = new MutationObserver(() => {
    if (pressed.isConnected || document.activeElement !== document.body) return;
    const next = pressed.matches("[role=menuitem]") ? opener : document.querySelector(".st-key-stopped button");
    next?.focus();
  });
  const note = ({ target }) => {
    changes.disconnect();
    opener = target.closest("[aria-haspopup=menu]") ?? opener;
    pressed = target.closest("[class*='st-key-stop-'] button, [role=menuitem]");
    if (pressed) changes.observe(document.body, { childList: true, subtree: true });
  };
  const runAgain = ({ key, ctrlKey, metaKey, target }) => {
    if (key !== "Enter" || !(ctrlKey || metaKey) || !target.closest(".st-key-draft")) return;
    document.querySelector(".st-key-stopped button")?.click();
  };
  document.addEventListener("focusin", note, { signal: listening.signal });
  document.addEventListener("keydown", runAgain, { signal: listening.signal });
  return () => {
    listening.abort();
    changes.disconnect();
  };
}
