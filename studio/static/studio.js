// Keys of the page of photos, and what is said where a request fails. All else works without a script.
"use strict";

(function () {
  const list = () => document.getElementById("cards");
  const boxes = () => Array.from(document.querySelectorAll("#cards input[name=chosen][type=checkbox]"));
  // An answer that stands there is not of what was asked now: what is said takes its place.
  function said(text) {
    const place = document.getElementById("said");
    const answer = document.getElementById("answer");
    if (place) place.textContent = text;
    if (!answer) return;
    const line = document.createElement("p");
    line.className = "warning";
    line.setAttribute("role", "alert");
    line.textContent = text;
    answer.replaceChildren(line);
  }
  let lastPicked = null;
  let focused = null;

  function cardOf(element) { return element ? element.closest(".card") : null; }

  function columns() {
    const first = boxes()[0];
    const top = cardOf(first).offsetTop;
    return boxes().filter((box) => cardOf(box).offsetTop === top).length || 1;
  }

  function move(from, by) {
    const all = boxes();
    const place = Math.max(0, Math.min(all.length - 1, from + by));
    all[place].focus();
    cardOf(all[place]).scrollIntoView({ block: "nearest" });
  }

  // A card that an answer replaced has lost the focus for a moment, in which a key still means it.
  function current() {
    const at = document.activeElement;
    return cardOf(at) || (focused && (!at || at === document.body) ? document.getElementById(focused) : null);
  }

  function place() {
    const all = boxes();
    const card = current();
    return card ? all.findIndex((box) => cardOf(box) === card) : -1;
  }

  // Sent one by one, with what was chosen when the key was pressed: the next key may come before the answer.
  function apply(button) {
    const at = place();
    let chosen = boxes().filter((box) => box.checked);
    if (!chosen.length) {
      if (at < 0) return;
      chosen = [boxes()[at]];
    }
    const form = document.getElementById("retag");
    const values = { to: button.value, chosen: chosen.map((box) => box.value) };
    ["why", "how"].forEach((name) => { if (form.elements[name]) values[name] = form.elements[name].value; });
    const last = boxes().indexOf(chosen[chosen.length - 1]);
    chosen.forEach((box) => { box.checked = false; cardOf(box).classList.add("sent"); });
    htmx.ajax("POST", form.getAttribute("hx-post"), { source: cardOf(chosen[0]), values: values, swap: "none" });
    move(last, 1);
  }

  function keys(event) {
    if (!list() || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing) {
      if (event.key === "Enter" && event.target.id === "other") { event.preventDefault(); if (event.target.value.trim()) document.getElementById("set-other").click(); }
      if (event.key === "Escape") { event.target.blur(); move(0, 0); }
      return;
    }
    const at = place();
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
    const palette = document.querySelector("#retag [data-key='" + CSS.escape(event.key) + "']");
    if (event.key in steps) { event.preventDefault(); move(at < 0 ? 0 : at, at < 0 ? 0 : steps[event.key]); }
    else if (palette) { event.preventDefault(); apply(palette); }
    else if (event.key === "a") { const all = boxes(); const on = all.some((box) => !box.checked); all.forEach((box) => { box.checked = on; }); }
    else if (event.key === "u" && at >= 0) { const undo = cardOf(boxes()[at]).querySelector(".undo"); if (undo) undo.click(); }
    else if (event.key === "/") { const other = document.getElementById("other"); if (other) { event.preventDefault(); other.focus(); } }
    else if (event.key === "Enter" && at >= 0 && event.target.matches("input")) { event.preventDefault(); cardOf(boxes()[at]).querySelector(".more a").click(); }
  }

  document.addEventListener("keydown", keys);

  document.addEventListener("click", (event) => {
    if (!event.target.matches("#cards input[name=chosen][type=checkbox]")) return;
    const all = boxes();
    const now = all.indexOf(event.target);
    if (event.shiftKey && lastPicked !== null) {
      const [first, last] = [Math.min(now, lastPicked), Math.max(now, lastPicked)];
      for (let number = first; number <= last; number += 1) all[number].checked = event.target.checked;
    }
    lastPicked = now;
  });

  document.addEventListener("focusin", (event) => { const card = cardOf(event.target); focused = card ? card.id : null; });
  document.addEventListener("mousedown", (event) => { if (!cardOf(event.target)) focused = null; });
  document.addEventListener("htmx:afterSettle", () => {
    const card = cardOf(document.activeElement) ? null : current();
    if (card) card.querySelector("input[name=chosen]").focus();
  });
  // What was typed for these photos, and that it is new, is not meant for the next.
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = document.getElementById("retag");
    if (!form || event.detail.elt !== form || !event.detail.successful) return;
    form.elements.other.value = "";
    form.elements.new.checked = false;
  });
  document.addEventListener("htmx:responseError", (event) => said(event.detail.xhr.responseText.slice(0, 300)));
  // A form that is not filled in yet asks for nothing; one with a value beyond its bounds says which.
  document.addEventListener("htmx:validation:halted", (event) => {
    const wrong = event.detail.errors.filter((each) => !each.validity.valueMissing)[0];
    if (wrong) said((wrong.elt.labels[0] ? wrong.elt.labels[0].textContent.trim() + ": " : "") + wrong.message);
  });
  document.addEventListener("htmx:sendError", () => said("The studio does not answer."));
})();
