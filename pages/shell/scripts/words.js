// Streamlit's own sentences, which exist in English only, in the reader's language and in our words
// (streamlit_words.py). What people wrote is left alone: it stands in Markdown, in our HTML or in fields.
(() => {
  const ATTRIBUTES = ["aria-label", "aria-description", "aria-valuetext", "aria-roledescription", "title", "placeholder"];
  const THEIRS = "[data-testid=stMarkdownContainer], [class^=otn-], [role=option] *, textarea, script, style, .stHtml, code";
  const OURS_AFTER_ALL = "[data-testid=stTooltipContent], [data-testid=stToast], [data-testid=stSelectboxVirtualDropdown], [role=listbox], [data-testid=stFileUploader] button";
  const written = new WeakMap(); // node -> name -> [Streamlit's words, what we wrote]

  const translated = (text) => {
    const { exact, patterns } = otn.words[otn.language] ?? otn.words.en;
    const key = text.trim();
    if (!key || key.length > 200) return null;
    if (Object.hasOwn(exact, key)) return exact[key];
    for (const [pattern, template] of patterns) {
      const found = key.match(pattern);
      if (found) return template.replace(/\{(\d)\}/g, (_all, n) => translated(found[+n + 1] ?? "") ?? found[+n + 1] ?? "");
    }
    return null;
  };

  const put = (node, name, read, write) => {
    const now = read();
    if (!now) return;
    const kept = written.get(node) ?? {};
    const source = kept[name]?.[1] === now ? kept[name][0] : now;
    const found = translated(source);
    const words = found && source.match(/^\s*/)[0] + found + source.match(/\s*$/)[0];
    if (found === null || words === now) return;
    kept[name] = [source, words];
    written.set(node, kept);
    write(words);
  };

  const ofText = (node) => {
    const parent = node.parentElement;
    if (!parent || (parent.closest(THEIRS) && !parent.closest(OURS_AFTER_ALL))) return;
    put(node, "", () => node.nodeValue, (words) => (node.nodeValue = words));
  };

  // Streamlit reads out the names of icons ("radio_button_unchecked icon"); what they mean stands beside them.
  const ICON = /^[a-z0-9_]+ icon$/;

  const ofElement = (element) => {
    if (ICON.test(element.getAttribute?.("aria-label") ?? "")) {
      element.removeAttribute("aria-label");
      element.removeAttribute("role");
      element.setAttribute("aria-hidden", "true");
    }
    for (const name of ATTRIBUTES) {
      if (element.hasAttribute?.(name)) put(element, name, () => element.getAttribute(name), (words) => element.setAttribute(name, words));
    }
  };

  const ofTree = (root) => {
    if (root.nodeType === Node.TEXT_NODE) return ofText(root);
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    ofElement(root);
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) walk.currentNode.nodeType === Node.TEXT_NODE ? ofText(walk.currentNode) : ofElement(walk.currentNode);
  };

  otn.onLanguage = () => document.body && ofTree(document.body);

  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "attributes") ofElement(change.target);
      else if (change.type === "characterData") ofText(change.target);
      else change.addedNodes.forEach(ofTree);
    }
  }).observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
})();
