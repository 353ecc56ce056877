"use strict";
// Progress of orders and scans: what the server says of one replaces what stands there. Without this script,
// the page says how far it was and a link makes it anew.
for (const box of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(box.dataset.live);
  source.addEventListener("progress", (event) => {
    const now = JSON.parse(event.data);
    for (const part of box.querySelectorAll("[data-live-part]")) {
      if (part instanceof HTMLProgressElement) part.value = now.percent;
      else part.textContent = now.says;
    }
    if (now.ended) {
      source.close();
      const here = new URL(location);
      here.searchParams.delete("said"); // what was ordered is done
      here.hash = "";
      location.replace(here);
    }
  });
}
