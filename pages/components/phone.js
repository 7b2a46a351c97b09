// A tap on the phone presses the Streamlit button of the same key; a link opens beside the panel, for
// Streamlit takes `target` away. Where the phone is below the fold, what has just come is scrolled to.
(() => {
  if (window.otnPhone) return;
  window.otnPhone = true;
  document.addEventListener("click", (event) => {
    const opens = event.target.closest(".otn-phone a[data-opens]");
    if (opens) {
      event.preventDefault();
      window.open(opens.href, "_blank", "noopener,noreferrer");
      return;
    }
    const tap = event.target.closest(".otn-phone [data-tap]");
    if (tap) document.querySelector(`.st-key-phone_tap_${CSS.escape(tap.dataset.tap)} button`)?.click();
  });
  // A carousel that is drawn anew is turned to the card that is being written.
  const turn = () => {
    for (const cards of document.querySelectorAll(".otn-phone .otn-cards:not([data-turned])")) {
      cards.dataset.turned = "";
      const shown = cards.children[cards.dataset.shown];
      if (shown) cards.scrollLeft = shown.offsetLeft - cards.firstElementChild.offsetLeft;
    }
  };
  new MutationObserver(turn).observe(document.body, { childList: true, subtree: true });
  turn();
  let newest;
  setInterval(() => {
    const phone = document.querySelector(".otn-phone[data-newest]");
    if (!phone || phone.dataset.newest === newest) return;
    const isFirst = newest === undefined;
    newest = phone.dataset.newest;
    phone.querySelector(".otn-thread").scrollTop = 0; // the thread is turned over: its beginning is its end
    if (!isFirst && phone.getBoundingClientRect().bottom > innerHeight + 8) {
      phone.scrollIntoView({ behavior: "smooth", block: "end" });
    }
  }, 300);
})();
