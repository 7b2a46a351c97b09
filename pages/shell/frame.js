// What Streamlit leaves to us in the browser. Runs in every run of the panel; listeners are added once.
function otnFrame([language, paths]) {
  const kept = () => localStorage.getItem("otn-theme") || "System";

  // Streamlit keeps the chosen theme per address ("stActiveTheme-/topics-v2"): keep all of them alike.
  const spread = () => {
    for (const path of ["", ...paths]) {
      const key = `stActiveTheme-/${path}-v2`;
      kept() === "System" ? localStorage.removeItem(key) : localStorage.setItem(key, JSON.stringify(kept()));
    }
  };

  document.documentElement.lang = language;
  document.documentElement.dataset.otnTheme = kept();
  if (window.otnListens) return;
  window.otnListens = true;
  spread();

  document.addEventListener("click", (event) => {
    const theme = event.target.closest?.("[data-otn-theme]:is(button)")?.dataset.otnTheme;
    if (!theme) return;
    localStorage.setItem("otn-theme", theme);
    spread();
    location.reload();
  });

  // A link inside our own HTML (tables) changes the page without loading the panel anew: the address changes
  // as if by the back button, which Streamlit follows. Without this script the links work by a full load.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".otn-table a[href]");
    if (!link || link.origin !== location.origin || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    window.dispatchEvent(new PopStateEvent("popstate"));
  });
}
