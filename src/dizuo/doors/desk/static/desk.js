// Keys of the desk: / J K 1-3 Ctrl+Enter ?. Nothing here is needed: every key presses a link or a button of the page.
// Off while somebody types, with a modifier held, during input of Chinese, and when turned off on the page.
(function () {
  "use strict";
  var STORE = "dz-keys";
  var on = true;
  try { on = localStorage.getItem(STORE) !== "off"; } catch (e) { on = true; }
  var list = document.querySelector("[data-keys]");
  var toggle = document.querySelector("[data-keys-switch]");

  function show() {
    if (!toggle || !list) return;
    toggle.hidden = false;
    toggle.textContent = on ? toggle.dataset.off : toggle.dataset.on;
    list.classList.toggle("is-off", !on);
  }
  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
      !/^(radio|checkbox|button|submit)$/.test(target.type);
  }
  function press(selector) {
    var found = document.querySelector(selector);
    if (found) found.click();
    return Boolean(found);
  }
  // Ctrl+Enter sends the form that somebody is in, and no other: not the decision from the search field.
  function send(form) {
    if (!form) return press("[data-send]");
    var found = Array.prototype.filter.call(form.elements, function (one) { return one.hasAttribute("data-send"); })[0];
    if (found) found.click();
    return Boolean(found);
  }
  // In a queue J and K walk along the rows; on a case they go to the next and the previous one.
  function walk(step) {
    var jobs = Array.prototype.slice.call(document.querySelectorAll("[data-job]"));
    if (!jobs.length) return press(step > 0 ? "[data-next]" : "[data-back]");
    var at = jobs.indexOf(document.activeElement);
    var next = jobs[Math.max(0, Math.min(jobs.length - 1, at < 0 ? 0 : at + step))];
    next.focus();
    return true;
  }
  function choose(n) {
    var radio = document.querySelector('[data-choose="' + n + '"]');
    if (!radio) return false;
    radio.checked = true;
    radio.focus();
    return true;
  }
  document.addEventListener("keydown", function (event) {
    if (event.isComposing || !on) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      if (send(event.target.form)) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    var key = event.key.toLowerCase();
    var did = false;
    if (key === "/") { var find = document.getElementById("find"); if (find) { find.focus(); find.select(); did = true; } }
    else if (key === "j") did = walk(1);
    else if (key === "k") did = walk(-1);
    else if (key === "1" || key === "2" || key === "3") did = choose(key);
    else if (key === "?" && list) { list.setAttribute("tabindex", "-1"); list.scrollIntoView(); list.focus(); did = true; }
    if (did) event.preventDefault();
  });
  if (toggle) toggle.addEventListener("click", function () {
    on = !on;
    try { localStorage.setItem(STORE, on ? "on" : "off"); } catch (e) { /* this page only */ }
    show();
  });
  var print = document.querySelector("[data-print]");
  if (print) { print.hidden = false; print.addEventListener("click", function () { window.print(); }); }
  // The browser has put the answer to a failed form before us: go to the list of what to correct.
  var wrong = document.getElementById("errsum");
  if (wrong) wrong.focus();
  show();
})();
