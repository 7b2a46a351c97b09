// In a dialog the first field has the focus, and Enter does what is blue, as in a form.
(() => {
  const FIELD = ["input:not([type=hidden], [type=file], [type=checkbox], [type=radio], [tabindex='-1'])", "textarea", "[role=spinbutton]"]
    .map((kind) => `${kind}:not([disabled], [aria-disabled=true])`).join(", "); // dates and times are spin buttons
  const NOT_BY_ACCIDENT = 400; // milliseconds: the Enter that opened a dialog is not the one that confirms it
  const opened = new WeakMap();

  const isRunning = () => document.querySelector("[data-test-script-state]")?.dataset.testScriptState !== "notRunning";

  // What a dialog holds comes bit by bit, some of it after the script has ended, and not always from top to
  // bottom: the focus goes on to the first field until somebody does something.
  const focusFirstField = (dialog) => {
    const until = Date.now() + 1500;
    let ours = null, isTouched = false;
    for (const kind of ["keydown", "pointerdown"]) dialog.addEventListener(kind, () => (isTouched = true), { capture: true });
    const attempt = () => {
      const inside = document.activeElement;
      const isTheirs = inside !== ours && dialog.contains(inside) && inside.matches(`${FIELD}, select`);
      if (!dialog.isConnected || isTouched || isTheirs) return;
      const field = [...dialog.querySelectorAll(FIELD)].find((each) => each.offsetParent);
      if (field && field !== inside) (ours = field).focus();
      if (isRunning() || Date.now() < until) setTimeout(attempt, 60);
    };
    setTimeout(attempt, 60);
  };

  // A button may wait for what was typed last; it is pressed as soon as it can be.
  const press = (dialog) => {
    const until = Date.now() + 3000;
    const attempt = () => {
      if (!dialog.isConnected) return;
      const blue = [...dialog.querySelectorAll("button[kind=primary], button[kind=primaryFormSubmit]")].pop();
      if (blue && !blue.disabled) return blue.click();
      if (blue && Date.now() < until) setTimeout(attempt, 80);
    };
    setTimeout(attempt, 80);
  };

  // On its way down, since Streamlit's fields keep the key to themselves; they have taken their text by then.
  window.addEventListener("keydown", (event) => {
    const dialog = event.target.closest?.("[data-testid=stDialog] [role=dialog]");
    if (!dialog || event.key !== "Enter" || event.repeat || event.isComposing) return;
    if (Date.now() - (opened.get(dialog) ?? 0) < NOT_BY_ACCIDENT || event.target.closest("[data-testid=stForm]")) return;
    const isText = event.target.matches("input:not([role=combobox]), [role=spinbutton]");
    const isLongText = event.target.matches("textarea") && (event.ctrlKey || event.metaKey);
    if (isText || isLongText || event.target === dialog) press(dialog);
  }, true);

  const seen = (root) => {
    for (const dialog of root.querySelectorAll?.("[data-testid=stDialog] [role=dialog]") ?? []) meet(dialog);
    if (root.matches?.("[data-testid=stDialog] [role=dialog]")) meet(root);
  };
  const meet = (dialog) => {
    if (opened.has(dialog)) return;
    opened.set(dialog, Date.now());
    focusFirstField(dialog);
  };

  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(seen))).observe(document.body, {
      childList: true, subtree: true,
    });
  });
})();
