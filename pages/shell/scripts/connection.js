// A strip at the top while the panel has no connection, in place of Streamlit's "CONNECTING" and its box about a
// server that does not respond. Sending is the worker's: it goes on without the panel.
(() => {
  const PATIENCE = 1200; // milliseconds: a connection that is back by then is not worth a word
  let timer = 0, wasConnected = false;

  const strip = () => {
    let found = document.getElementById("otn-strip");
    if (!found) {
      found = document.createElement("div");
      found.id = "otn-strip";
      found.setAttribute("role", "status");
      document.body.append(found);
    }
    return found;
  };

  const show = (state) => {
    const gone = state === "DISCONNECTED_FOREVER";
    strip().textContent = otn.say(gone ? "gone" : wasConnected ? "lost" : "connecting");
    if (!gone) return;
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = otn.say("reload");
    again.onclick = () => location.reload();
    strip().append(again);
  };

  const look = () => {
    const state = document.querySelector("[data-test-connection-state]")?.dataset.testConnectionState ?? "INITIAL";
    const connected = state === "CONNECTED";
    wasConnected ||= connected;
    clearTimeout(timer);
    if (!connected) {
      timer = setTimeout(() => show(state), PATIENCE);
    } else if (strip().textContent) {
      strip().textContent = "";
    }
  };

  // Streamlit's box says the same in English and in its own name; once closed, it stays away.
  const THEIR_BOX = /^(Connection error|Warning: Connection error)$/;
  const closeTheirBox = (root) => {
    const box = root.closest?.("[data-testid=stDialog]") ?? root.querySelector?.("[data-testid=stDialog]");
    const title = [...(box?.querySelectorAll("h1, h2, [slot=title], p, span") ?? [])].some((each) => THEIR_BOX.test(each.textContent.trim()));
    if (!title) return;
    box.dataset.otnHidden = "";
    box.querySelector("button")?.click();
  };

  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(closeTheirBox))).observe(document.body, {
      childList: true, subtree: true,
    });
    look();
    new MutationObserver(look).observe(document.getElementById("root"), {
      subtree: true, childList: true, attributes: true, attributeFilter: ["data-test-connection-state"],
    });
  });
})();
