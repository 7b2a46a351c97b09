// Nobody leaves what they have typed, and not yet saved, unasked. A field of a page is saved as soon as it is
// left; one of a dialog or a form only with its button, and none while there is no connection.
(() => {
  const typed = new Set();
  const HELD = "[data-testid=stDialog], [data-testid=stForm]"; // where a field waits for a button

  const isConnected = () => document.querySelector("[data-test-connection-state=CONNECTED]") !== null;
  const isWork = (field) =>
    field.matches?.("input, textarea, [role=spinbutton]") && // dates and times are spin buttons
    !field.matches("[type=search], [type=password], [role=combobox], [data-testid=stChatInputTextArea]") &&
    !field.closest(".st-key-sign_in");
  const said = (field) => field.value ?? field.textContent;
  const unsaved = (where) =>
    [...typed].some((field) => field.isConnected && said(field) !== field.otnBefore && (!where || field.closest(where)));

  document.addEventListener("focusin", ({ target }) => {
    if (isWork(target) && target.otnBefore === undefined) target.otnBefore = said(target);
  });
  document.addEventListener("input", ({ target }) => isWork(target) && typed.add(target));
  // A spin button tells of no input; of a field a key that wrote nothing may be the one that left another.
  document.addEventListener("keyup", ({ target }) => target.matches?.("[role=spinbutton]") && isWork(target) && typed.add(target));
  document.addEventListener("focusout", ({ target }) => {
    if (!typed.has(target) || target.closest(HELD) || !isConnected()) return;
    typed.delete(target);
    target.otnBefore = undefined;
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-testid=stFormSubmitButton] button, [data-testid=stDialog] [data-testid=stButton] button");
    const held = button?.closest(HELD);
    if (held) for (const field of typed) if (held.contains(field)) typed.delete(field);
  });

  // Streamlit sends what stands in a field a little after it is left, and the run that follows saves it. A change of
  // the page is sent at once: it would cut that run short, or the run would lead back to the page that was left.
  const SENT_WITHIN = 300, SAVED_WITHIN = 5000; // milliseconds
  let edited = null, leftAt = -Infinity;
  document.addEventListener("input", ({ target }) => (edited = target));
  document.addEventListener("focusout", ({ target }) => {
    if (target === edited) leftAt = performance.now();
    edited = null;
  });
  const isSaving = () => {
    const passed = performance.now() - leftAt;
    return passed < SENT_WITHIN || (passed < SAVED_WITHIN && !document.querySelector("[data-test-script-state=notRunning]"));
  };
  const onceSaved = (leave) => (isSaving() ? setTimeout(onceSaved, 50, leave) : leave());

  window.addEventListener("beforeunload", (event) => {
    if (!unsaved() && !isSaving()) return;
    event.preventDefault();
    event.returnValue = "";
  });

  const stop = (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  const isIn = (event, dialog) => dialog.contains(event.target);
  const closeButton = (dialog) => dialog.querySelector(":scope > button");
  const openDialog = () => [...document.querySelectorAll("[data-testid=stDialog] [role=dialog]")].pop();
  const isListOpen = () => document.querySelector("[role=listbox], [data-trigger], [aria-expanded=true]:is(input)") !== null;
  let asking = false, swallow = 0;

  // The three ways out of a dialog that throw away what stands in it: Escape, the cross, a click beside it.
  const leaves = (event, dialog) => {
    if (event.type === "keydown") return event.key === "Escape" && !isListOpen();
    if (closeButton(dialog)?.contains(event.target)) return true;
    return !isIn(event, dialog) && event.target.closest?.("[data-testid=stDialog]") !== null;
  };

  for (const kind of ["keydown", "pointerdown", "mousedown", "pointerup", "mouseup", "click"]) {
    window.addEventListener(kind, (event) => {
      if (!event.isTrusted) return;
      if (event.timeStamp < swallow && kind !== "keydown") return stop(event);
      const dialog = openDialog();
      if (asking || !dialog || !unsaved("[data-testid=stDialog]") || !leaves(event, dialog)) return;
      stop(event);
      asking = true;
      const discard = window.confirm(otn.say("discard"));
      asking = false;
      if (kind !== "keydown") swallow = performance.now() + 300; // the rest of that click
      if (!discard) return;
      typed.clear();
      closeButton(dialog)?.click();
    }, true);
  }

  window.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!event.isTrusted || !link || link.target === "_blank" || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (unsaved("[data-testid=stForm]")) {
      if (!window.confirm(otn.say("discard"))) return stop(event);
      typed.clear();
    }
    if (!isSaving()) return;
    stop(event);
    onceSaved(() => link.click());
  }, true);

  // The back button leaves no field, and the address has changed when we hear of it: it is undone until what was typed
  // is saved, or for good.
  let back = -1, undone = null;
  window.navigation?.addEventListener("currententrychange", ({ from }) => (back = navigation.currentEntry.index - from.index));
  const undo = (event, after) => {
    stop(event);
    const steps = back || -1;
    undone = () => after(steps);
    history.go(-steps);
  };
  window.addEventListener("popstate", (event) => {
    if (!event.isTrusted) return;
    if (undone) {
      stop(event);
      undone();
      undone = null;
    } else if (unsaved(HELD)) {
      if (window.confirm(otn.say("discard"))) typed.clear();
      else undo(event, () => {});
    } else if (unsaved() || isSaving()) {
      undo(event, (steps) => {
        document.activeElement?.blur?.();
        onceSaved(() => history.go(steps));
      });
    }
  }, true);
})();
