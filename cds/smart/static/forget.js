// htmx keeps the address of the page in sessionStorage when it is loaded. This app keeps nothing there.
try { sessionStorage.removeItem("htmx-current-path-for-history"); } catch { /* no such storage */ }
