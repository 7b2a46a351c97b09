// Streamlit sends a text area's words only when it is left. A pause in typing sends them, too, so that the
// phone and the counter follow. Ctrl+Enter is Streamlit's own way to send; half-composed letters are let be.
(() => {
  if (window.otnLiveAreas) return;
  window.otnLiveAreas = true;
  let waiting;
  const send = (area) =>
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
  const typed = (event) => {
    const area = event.target;
    if (area.tagName !== "TEXTAREA" || event.isComposing || !area.closest('[class*="st-key-block_"]')) return;
    clearTimeout(waiting);
    waiting = setTimeout(send, 350, area);
  };
  document.addEventListener("input", typed);
  document.addEventListener("compositionend", typed);
})();

// What the page asks to be shown (a span .otn-goto names the key of its container) is scrolled to, once.
(() => {
  if (window.otnGoTo) return;
  window.otnGoTo = true;
  const lead = () => {
    const asked = document.querySelector(".otn-goto:not([data-otn-done])");
    if (!asked) return;
    const place = document.querySelector(`.st-key-${CSS.escape(asked.dataset.otnKey)}`);
    if (!place) return;
    asked.dataset.otnDone = "1";
    setTimeout(() => {
      place.scrollIntoView({ block: "center", behavior: "smooth" });
      place.querySelector("input, textarea")?.focus({ preventScroll: true });
    }, 100);
  };
  new MutationObserver(lead).observe(document.body, { childList: true, subtree: true });
  lead();
})();
