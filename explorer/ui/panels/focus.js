/**
 * What Streamlit calls: what goes when it is pressed hands the focus on. Stop, to the button that comes in its place;
 * an entry of a menu, to the button that opened it.
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
  document.addEventListener("focusin", note, { signal: listening.signal });
  return () => {
    listening.abort();
    changes.disconnect();
  };
}
