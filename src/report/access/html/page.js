"use strict";
(() => {
  const id = (name) => document.getElementById(name);
  const tools = id("tools"), readers = id("find-readers"), logs = id("find-logs"), cells = id("find-cells"), found = id("found");
  const tables = Array.from(document.querySelectorAll("table.matrix"), (table) => ({
    heads: Array.from(table.querySelectorAll("thead th[data-q]")),
    rows: Array.from(table.querySelectorAll("tbody tr"), (row) => ({
      row, head: row.querySelector("th"), parts: Array.from(row.querySelectorAll("td"), (cell) => ({ cell, p: cell.querySelectorAll(".p") })),
    })),
  }));
  const wanted = {
    access: (p) => !p.classList.contains("h0"),
    more: (p) => p.classList.contains("more"),
    less: (p) => p.classList.contains("less"),
    unsure: (p) => p.classList.contains("if") || p.classList.contains("unsure"),
  };
  // Which members of a class were meant by the search.
  const name = (head, text) => {
    head.querySelector(".hit")?.remove();
    const members = text ? Array.from(head.querySelectorAll(".members li")).filter((li) => li.textContent.toLowerCase().includes(text)) : [];
    if (members.length === 0) return;
    const hit = document.createElement("p");
    hit.className = "hit";
    const more = members.length > 3 ? `, … and ${members.length - 3} more` : "";
    hit.textContent = members.slice(0, 3).map((li) => li.textContent).join(", ") + more;
    head.append(hit);
  };
  const filter = () => {
    const reader = readers.value.trim().toLowerCase(), owner = logs.value.trim().toLowerCase(), kind = wanted[cells.value];
    let shown = 0, rows = 0, columns = 0, all = 0;
    for (const table of tables) {
      const open = table.heads.map((head) => head.dataset.q.includes(owner));
      const used = open.map((is) => is && !kind);
      for (const { row, head, parts } of table.rows) {
        let is = head.dataset.q.includes(reader);
        if (is && owner && open.length === 0) {
          const list = row.lastElementChild;
          is = list.textContent.toLowerCase().includes(owner) || list.querySelector("[data-rest]") !== null;
        }
        if (is && kind) {
          is = false;
          parts.forEach((part, at) => {
            if ((open[at] ?? true) && Array.from(part.p).some(kind)) { is = true; if (at < used.length) used[at] = true; }
          });
        }
        row.classList.toggle("off", !is);
        name(head, is ? reader : "");
        rows += 1; shown += is ? 1 : 0;
      }
      table.heads.forEach((head, at) => {
        head.classList.toggle("off", !used[at]);
        name(head, used[at] ? owner : "");
        all += 1; columns += used[at] ? 1 : 0;
      });
      if (table.heads.length > 0) {
        for (const { parts } of table.rows) parts.forEach((part, at) => {
          const off = !(used[at] ?? true);
          if (part.cell.classList.contains("off") !== off) part.cell.classList.toggle("off", off);
        });
      }
    }
    const some = reader || owner || kind;
    found.textContent = some ? `${shown} of ${rows} rows` + (all ? `, ${columns} of ${all} columns` : "") : "";
  };
  let timer = 0;
  const soon = () => { clearTimeout(timer); timer = setTimeout(filter, 80); };
  readers.addEventListener("input", soon);
  logs.addEventListener("input", soon);
  cells.addEventListener("change", filter);
  tools.addEventListener("reset", () => setTimeout(filter, 0));
  tools.addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  tools.hidden = false;

  // A panel takes the focus when it opens and gives it back when it closes.
  let opener = null;
  const target = () => { const panel = id(location.hash.slice(1)); return panel?.classList.contains("panel") ? panel : null; };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#c']");
    if (link) opener = link;
    const close = event.target.closest?.("a.close");
    if (close) { event.preventDefault(); shut(); }
  });
  const shut = () => {
    const [x, y] = [scrollX, scrollY];
    const back = opener ?? document.querySelector(`.matrix a[href='${location.hash}']`);
    location.hash = "#-";
    scrollTo(x, y);
    back?.focus({ preventScroll: true });
    opener = null;
  };
  const opened = () => target()?.focus({ preventScroll: true });
  addEventListener("hashchange", opened);
  opened();

  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const typing = event.target.matches?.("input, select");
    if (event.key === "Escape" && target()) { event.preventDefault(); shut(); return; }
    if (event.key === "/" && !typing) { event.preventDefault(); readers.focus(); return; }
    const step = move[event.key], here = event.target.closest?.(".matrix td a.p");
    if (!step || !here) return;
    // Cells are gone through as they are shown; a cell with two parts is two steps high.
    const cell = here.closest("td"), row = cell.parentElement;
    const open = (element, next) => { do { element = element?.[next]; } while (element?.classList.contains("off")); return element; };
    let to = null;
    if (step[1]) to = open(cell, step[1] < 0 ? "previousElementSibling" : "nextElementSibling")?.querySelector("a.p");
    else {
      const sibling = step[0] < 0 ? here.previousElementSibling : here.nextElementSibling;
      const next = open(row, step[0] < 0 ? "previousElementSibling" : "nextElementSibling");
      const links = next?.children[cell.cellIndex]?.querySelectorAll("a.p") ?? [];
      to = sibling ?? links[step[0] < 0 ? links.length - 1 : 0];
    }
    if (to) { event.preventDefault(); to.focus(); to.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  });
})();
