// What pages can't do without a script: renew themselves, and make selecting quick. Everything works without it.
"use strict";

const EVERY_MS = 5000;
const live = document.getElementById("live");
let renewing = "refresh" in document.body.dataset;
let failedSince = null;
let isByKey = false;

/** Make one element like another, but leave alone what is in use: what was typed, focus, ticks, what is open, scroll. */
function renew(old, fresh) {
  if (stays(old) || isBeingFilled(old)) return;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.localName === "details")) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const known = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  const wantedKeys = new Set([...fresh.children].map(keyOf).filter(Boolean));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const here = keyOf(wanted) ? known.get(keyOf(wanted)) ?? null : nextLike(place, wanted);
    while (here && place && place !== here && !wantedKeys.has(keyOf(place))) place = passed(place);
    while (place && place !== here && isGone(place, wantedKeys)) place = passed(place);
    if (here === null) {
      old.insertBefore(document.importNode(wanted, true), place);
      continue;
    }
    if (here === place) place = place.nextSibling;
    else (old.moveBefore ?? old.insertBefore).call(old, here, place);  // the former keeps the focus
    if (here.nodeType === Node.ELEMENT_NODE) renew(here, wanted);
    else if (here.nodeValue !== wanted.nodeValue) here.nodeValue = wanted.nodeValue;
  }
  while (place) place = passed(place);
}

/** Take away a node that is wanted no more, unless somebody is using it; return the one after it. */
function passed(node) {
  const next = node.nextSibling;
  if (!stays(node) && !isInUse(node)) node.remove();
  return next;
}

function isGone(node, wantedKeys) {
  return stays(node) || (keyOf(node) !== "" && !wantedKeys.has(keyOf(node)));
}

function stays(node) {
  return isElement(node) && node.hasAttribute("data-stays");
}

function isElement(node) {
  return node.nodeType === Node.ELEMENT_NODE;
}

// By `getAttribute`: a form's own `id` is its field of that name.
function keyOf(node) {
  return isElement(node) ? node.getAttribute("data-key") ?? node.getAttribute("id") ?? "" : "";  // text has none
}

/** Return the next node without a key that is the same thing as another; of text, only the very next. */
function nextLike(place, wanted) {
  if (!isElement(wanted)) return place && place.nodeType === wanted.nodeType ? place : null;
  for (let node = place; node; node = node.nextSibling) {
    if (isElement(node) && !keyOf(node) && !stays(node) && kindOf(node) === kindOf(wanted)) return node;
  }
  return null;
}

function kindOf(element) {
  const named = ["name", "action", "aria-label"].map((name) => element.getAttribute(name));
  const choice = element.localName === "input" || element.localName === "button" ? element.getAttribute("value") : null;
  return JSON.stringify([element.localName, named, choice, (element.getAttribute("class") ?? "").split(" ")[0]]);
}

/** Tell whether somebody types in a field, or has changed it. */
function isBeingFilled(node) {
  if (!node.matches("input:not([type=hidden]), select, textarea")) return false;
  if (node === document.activeElement) return true;
  if (node.localName === "select") return [...node.options].some((one) => one.selected !== one.defaultSelected) && node.value !== "";
  return node.checked !== node.defaultChecked || node.value !== node.defaultValue;
}

function isInUse(node) {
  if (isSelected(node)) return true;
  if (!isElement(node)) return false;
  const within = [node, ...node.querySelectorAll("input, select, textarea, details[open]")];
  return node.contains(document.activeElement) || within.some((one) => one.matches("details[open]") || isBeingFilled(one));
}

/** Tell whether a selection begins or ends in a node. */
function isSelected(node) {
  const { anchorNode, focusNode, isCollapsed } = getSelection();
  return !isCollapsed && (node.contains(anchorNode) || node.contains(focusNode));
}

/** Renew, and select again what was selected: new text in a node ends what is selected in it. */
function renewAll(old, fresh) {
  const selection = getSelection();
  const { anchorNode, anchorOffset, focusNode, focusOffset, isCollapsed } = selection;
  renew(old, fresh);
  if (isCollapsed || !anchorNode.isConnected || !focusNode.isConnected) return;
  if (selection.anchorOffset === anchorOffset && selection.focusOffset === focusOffset) return;
  const within = (node, offset) => [node, Math.min(offset, node.nodeValue?.length ?? node.childNodes.length)];
  selection.setBaseAndExtent(...within(anchorNode, anchorOffset), ...within(focusNode, focusOffset));
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
    localise(page);
    renewAll(document.getElementById("main"), page.getElementById("main"));
    count();
    failedSince = null;
    tell("Live", false);
  } catch {
    failedSince ??= new Date();
    tell(`No answer since ${failedSince.toLocaleTimeString()}`, true);
  }
}

const clock = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });

/** Tell times in the browser's own zone, too, where that says something else than what is there. */
function localise(root) {
  for (const time of root.querySelectorAll("main time[title]")) {
    if (!time.title.includes(" here")) time.title += `, ${clock.format(new Date(time.dateTime))} here`;
  }
  for (const here of root.querySelectorAll("[data-here]")) {
    const text = clock.format(new Date(here.dataset.here));
    here.hidden = here.closest("li").textContent.includes(text) && here.textContent === "";
    if (!here.hidden) here.textContent = `${text} here · `;
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
localise(document);
count();
if (renewing) {
  tell("Live", false);
  setTimeout(keepRenewing, EVERY_MS);
}
