// What this adds to pages that work without it: lines can be looked at without
// a connection (sw.js), the review shows at once what points leave to pay, and an
// order's page shows the next step at once.
"use strict";
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});

// What pays first is put into the amounts at once, not only by its button.
const parts = document.getElementById("parts");
if (parts) parts.addEventListener("change", () => parts.requestSubmit());

const live = document.querySelector("[data-live]");
if (live) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const say = (life) => { document.cookie = "live=1; Path=/; SameSite=Lax; Max-Age=" + life + secure; };
  const events = new EventSource(live.dataset.live);
  events.addEventListener("changed", () => location.reload());
  // The page need not ask again by itself from now on; all the same it is asked for
  // once a minute.
  setTimeout(() => location.reload(), 60000);
  events.onopen = () => say(31536000);
  // After a break it connects again by itself; after a refusal it does not.
  events.onerror = () => {
    if (events.readyState !== EventSource.CLOSED) return;
    say(0);
    setTimeout(() => location.reload(), 5000);
  };
}
