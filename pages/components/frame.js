// A link inside our own HTML (tables) changes the page without loading the panel anew: the address changes
// as if by the back button, which Streamlit follows. Without this script the links work by a full load.
if (!window.otnLinks) {
  window.otnLinks = true;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".otn-table a[target=_self]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    window.dispatchEvent(new PopStateEvent("popstate"));
  });
}
