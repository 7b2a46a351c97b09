// What Streamlit leaves to us in the browser. It stands in the page itself (start_page.py), so that it is there
// before Streamlit is; `otnFrame` is called in every run of the panel with the reader's language.
window.otn = window.otn || {};

// Streamlit and its calendar read the browser's languages; the panel's own language goes first.
otn.speak = (language) => {
  otn.language = language;
  localStorage.setItem("otn-language", language);
  document.documentElement.lang = language;
  const tag = language.replace("_", "-");
  Object.defineProperty(navigator, "language", { get: () => tag, configurable: true });
  Object.defineProperty(navigator, "languages", { get: () => [tag], configurable: true });
  window.dispatchEvent(new Event("languagechange"));
  otn.onLanguage?.();
};

// A sentence of ours by its English key.
otn.say = (key) => otn.words[otn.language]?.own[key] ?? key;

otn.theme = () => localStorage.getItem("otn-theme") || "System";

// Streamlit keeps the chosen theme per address ("stActiveTheme-/topics-v2"): keep all of them alike.
otn.spreadTheme = () => {
  for (const path of ["", ...otn.paths]) {
    const key = `stActiveTheme-/${path}-v2`;
    otn.theme() === "System" ? localStorage.removeItem(key) : localStorage.setItem(key, JSON.stringify(otn.theme()));
  }
};

otn.begin = (settings) => {
  Object.assign(otn, settings);
  const kept = localStorage.getItem("otn-language");
  otn.speak(otn.words[kept] ? kept : settings.language);
  document.documentElement.dataset.otnTheme = otn.theme();
  otn.spreadTheme();

  document.addEventListener("click", (event) => {
    const theme = event.target.closest?.("[data-otn-theme]:is(button)")?.dataset.otnTheme;
    if (!theme) return;
    localStorage.setItem("otn-theme", theme);
    otn.spreadTheme();
    location.reload();
  });

  // A link inside our own HTML (menu, tables) changes the page without loading the panel anew: the address changes
  // as if by the back button, which Streamlit follows. Without this script the links work by a full load.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".otn-menu a[href], .otn-table a[href]");
    if (!link || link.origin !== location.origin || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    window.dispatchEvent(new PopStateEvent("popstate"));
    if (link.closest(".otn-menu") && innerWidth < 768) document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  });
};

function otnFrame(language) {
  if (otn.language !== language) otn.speak(language);
}

// The menu's link to the page that is open, or to the list from which it was reached.
function otnMarkMenu(path) {
  for (const link of document.querySelectorAll(".otn-menu a")) {
    link.getAttribute("href") === path ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }
}
