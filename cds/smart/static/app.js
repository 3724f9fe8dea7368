// Two helps for a page in a hurry; without them everything works, with a moment more.
"use strict";
// What was asked for did not come: what is on the screen is not the answer to what was entered.
(function () {
  const places = ["now", "result"];
  const lost = function () {
    const notice = document.getElementById("lost");
    if (!notice) { return; }
    notice.hidden = false;
    for (const id of places) {
      const place = document.getElementById(id);
      if (place) { place.hidden = true; }
    }
  };
  const back = function () {
    const notice = document.getElementById("lost");
    if (notice) { notice.hidden = true; }
    for (const id of places) {
      const place = document.getElementById(id);
      if (place) { place.hidden = false; }
    }
  };
  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:afterSwap", back);
}());
// A button pressed twice sends once: the answer is on the way.
(function () {
  const AGAIN_MS = 5000;
  let last = null;
  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented || event.target.method !== "post") { return; }
    const twice = last && last.by === event.submitter && event.timeStamp - last.at < AGAIN_MS;
    if (twice) {
      event.preventDefault();
    } else {
      last = { by: event.submitter, at: event.timeStamp };
    }
  });
  // A page that comes back as it was left may be sent again: the service knows what it has.
  window.addEventListener("pageshow", function () { last = null; });
}());
