// Lets this browser show notifications: asks it to, and sends the shop where its
// push service reaches it, with the form that stands on the page. Without scripts,
// or where the browser cannot, everything else works and the page says so.
"use strict";
const form = document.querySelector("[data-push]");
if ("serviceWorker" in navigator && "PushManager" in window) {
  form.parentElement.hidden = false;
  document.getElementById("push-cannot").hidden = true;
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    subscribe().catch(() => { form.querySelector(".error").hidden = false; });
  });
}

async function subscribe() {
  const manager = (await navigator.serviceWorker.ready).pushManager;
  // One of before may be known to its service by another key.
  await (await manager.getSubscription())?.unsubscribe();
  const s = await manager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.push });
  const { p256dh, auth } = s.toJSON().keys;
  form.elements.endpoint.value = s.endpoint;
  form.elements.p256dh.value = p256dh;
  form.elements.auth.value = auth;
  form.submit();
}
