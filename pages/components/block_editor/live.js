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
