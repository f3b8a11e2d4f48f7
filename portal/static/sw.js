// Pages come from the network. Those that the shop marks are kept on a
// signed-in customer's device, at most 20 of them for 30 days, to be looked at
// without a connection; they are forgotten as soon as nobody is signed in.
// Nothing is ever sent later, and no answer to a form is kept.
"use strict";
const KEPT = "kept", OWN = "own", OFFLINE = "/offline";
const MOST = 20, LONGEST = 30 * 24 * 3600 * 1000;

addEventListener("install", (e) => e.waitUntil(learn().then(() => skipWaiting())));
addEventListener("activate", (e) => e.waitUntil(clients.claim()));
addEventListener("fetch", (e) => {
  if (e.request.mode !== "navigate") return;
  e.respondWith(e.request.method === "GET" ? look(e) : send(e.request));
});

// A notification says what the shop sent; a newer one about the same takes its
// place. A tap leads to a page of the shop, and nowhere else.
addEventListener("push", (e) => {
  const m = e.data.json();
  e.waitUntil(registration.showNotification(m.title, { body: m.text, tag: m.tag, lang: m.lang, renotify: true, data: m.link }));
});
addEventListener("notificationclick", (e) => {
  e.notification.close();
  const to = new URL(e.notification.data || "/", location.origin);
  e.waitUntil(clients.openWindow(location.origin + to.pathname + to.search));
});

// learn keeps the page that says that there is no connection.
async function learn() {
  const page = await fetch(OFFLINE, { credentials: "same-origin" });
  if (page.ok) await (await caches.open(OWN)).put(OFFLINE, page);
}

async function look(event) {
  let page;
  try {
    page = await fetch(event.request);
  } catch {
    return (await kept(event.request)) ?? sorry("unsent", event.request.url);
  }
  event.waitUntil(remember(event.request, page.clone()));
  return page;
}

// remember does what the shop says: keep this page, or forget all.
async function remember(request, page) {
  const what = page.headers.get("Tsuzuku-Offline");
  if (what === "forget") await caches.delete(KEPT);
  if (what === "keep" && page.ok) {
    const all = await caches.open(KEPT);
    await all.delete(request);
    await all.put(request, page);
    const old = (await all.keys()).slice(0, -MOST);
    await Promise.all(old.map((one) => all.delete(one)));
  }
  const own = await caches.match(OFFLINE);
  const speaks = page.headers.get("Content-Language");
  if (speaks && own?.headers.get("Content-Language") !== speaks) await learn();
}

async function kept(request) {
  const page = await (await caches.open(KEPT)).match(request);
  if (!page || Date.now() - Date.parse(page.headers.get("Date")) > LONGEST) return undefined;
  return shown(page, 200, (html) => html.replace('id="offline" hidden', 'id="offline"'));
}

// send lets a form through as it is. Without a connection nothing leaves the
// device; where the connection breaks, nobody knows.
async function send(request) {
  if (new URL(request.url).pathname === "/sign-out") await caches.delete(KEPT);
  if (!navigator.onLine) return sorry("unsent", request.referrer);
  try {
    return await fetch(request);
  } catch {
    return sorry("unknown", request.referrer);
  }
}

// sorry is the page that says so, with the way back to what was asked for.
async function sorry(what, again) {
  const page = await caches.match(OFFLINE);
  if (!page) return Response.error();
  const url = new URL(again || "/", location.origin);
  const path = (url.origin === location.origin ? url.pathname + url.search : "/").replace(/["&<>']/g, encodeURIComponent);
  return shown(page, 503, (html) => html.replace('id="' + what + '" hidden', 'id="' + what + '"').replaceAll('href="/again"', 'href="' + path + '"'));
}

async function shown(page, status, change) {
  const headers = { "Content-Type": "text/html; charset=utf-8" };
  for (const name of ["Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"]) {
    headers[name] = page.headers.get(name);
  }
  return new Response(change(await page.text()), { status, headers });
}
