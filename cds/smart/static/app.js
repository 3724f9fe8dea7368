// What was asked for did not come: what is on the screen is not the answer to what was entered.
"use strict";
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
