// What pages can't do without a script: renew themselves, and make selecting quick. Everything works without it.
"use strict";

const EVERY_MS = 5000;
const live = document.getElementById("live");
let renewing = "refresh" in document.body.dataset;
let failedSince = null;
let isByKey = false;

/** Make one element like another, but keep what is there: scroll, selection, focus and what was typed stay. */
function renew(old, fresh) {
  if (stays(old)) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.localName === "details")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const kept = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  const wantedKeys = new Set([...fresh.children].map(keyOf));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    while (place && keyOf(place) && !wantedKeys.has(keyOf(place)) && !stays(place)) place = without(place);
    const known = wanted.nodeType === Node.ELEMENT_NODE ? kept.get(keyOf(wanted)) : undefined;
    while (known && place && place !== known && !keyOf(place) && !stays(place)) place = without(place);
    const here = known ?? (place && isLike(place, wanted) ? place : null);
    if (here === null) {
      old.insertBefore(document.importNode(wanted, true), place);
      continue;
    }
    if (here === place) place = place.nextSibling;
    else old.insertBefore(here, place);
    if (here.nodeType === Node.ELEMENT_NODE) renew(here, wanted);
    else if (here.nodeValue !== wanted.nodeValue) here.nodeValue = wanted.nodeValue;
  }
  while (place) place = stays(place) ? place.nextSibling : without(place);
}

/** Take a node away, and return the one after it. What stays is never moved for it: moving takes the focus away. */
function without(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

function stays(node) {
  return node.dataset !== undefined && "stays" in node.dataset;
}

function keyOf(node) {
  return node.dataset?.key ?? (node.id || "");  // text has none
}

function isLike(one, other) {
  if (one.nodeType !== other.nodeType || one.nodeName !== other.nodeName) return false;
  return one.nodeType !== Node.ELEMENT_NODE || (keyOf(one) === keyOf(other) && !stays(one));
}

function tell(text, isLost) {
  live.hidden = false;
  live.classList.toggle("lost", isLost);
  if (live.textContent !== text) live.textContent = text;
}

async function refresh() {
  if (!renewing || document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) });
    if (answer.redirected && new URL(answer.url).pathname.endsWith("/login")) return location.reload();
    if (!answer.ok && answer.status !== 404) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!renewing) return;
    renew(document.getElementById("main"), page.getElementById("main"));
    count();
    failedSince = null;
    tell("Live", false);
  } catch {
    failedSince ??= new Date();
    tell(`No answer since ${failedSince.toLocaleTimeString()}`, true);
  }
}

async function keepRenewing() {
  await refresh();
  setTimeout(keepRenewing, EVERY_MS);
}

/** Say how many are selected, and let act only on some. */
function count() {
  const ticks = [...document.querySelectorAll('input[name="job"][type="checkbox"]')];
  const chosen = ticks.filter((tick) => tick.checked).length;
  for (const button of document.querySelectorAll("[data-chosen]")) {
    button.disabled = chosen === 0;
    button.dataset.words ??= button.textContent;
    button.textContent = chosen ? button.dataset.words.replace("selected", `${chosen} selected`) : button.dataset.words;
  }
  const all = document.querySelector("[data-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === ticks.length;
    all.indeterminate = chosen > 0 && chosen < ticks.length;
  }
}

document.addEventListener("change", (event) => {
  if ("all" in event.target.dataset) {
    for (const tick of document.querySelectorAll('input[name="job"][type="checkbox"]')) tick.checked = event.target.checked;
  }
  // With the keyboard each arrow is a change: whoever is on the way to the third choice presses the button.
  if (event.target.closest(".filters") && event.target.localName === "select" && !isByKey) event.target.form.requestSubmit();
  count();
});

document.addEventListener("keydown", () => { isByKey = true; }, true);
document.addEventListener("pointerdown", () => { isByKey = false; }, true);

document.addEventListener("submit", () => {
  renewing = false;
  document.getElementById("main").setAttribute("aria-busy", "true");
  sessionStorage.setItem("place", JSON.stringify([location.pathname, scrollY]));
});

document.addEventListener("keydown", (event) => {
  const open = document.querySelector("details.ask[open]");
  if (event.key !== "Escape" || !open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.ask[open]")) if (!open.contains(event.target)) open.open = false;
});

addEventListener("pageshow", (event) => {
  document.getElementById("main").removeAttribute("aria-busy");
  if (event.persisted) renewing = "refresh" in document.body.dataset;
});

document.addEventListener("visibilitychange", () => document.hidden || refresh());

const [path, place] = JSON.parse(sessionStorage.getItem("place") ?? "[]");
sessionStorage.removeItem("place");
if (path === location.pathname) scrollTo(0, place);
document.querySelector("nav a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
count();
if (renewing) {
  tell("Live", false);
  setTimeout(keepRenewing, EVERY_MS);
}
