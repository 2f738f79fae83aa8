// What the pages of a board do beyond being read: sort and filter tables, choose models, choose a
// theme. The whole view is kept in the address, nothing anywhere else; without this file every
// table is there in full.
"use strict";
(() => {
  const root = document.documentElement;
  const state = new URLSearchParams(location.search);

  function keep() {
    const query = state.toString();
    try {
      history.replaceState(null, "", (query ? "?" + query : location.pathname) + location.hash);
    } catch {
      // A browser may refuse this for files; the page works, its address stays.
    }
  }

  function setAll(key, values) {
    state.delete(key);
    values.forEach((value) => state.append(key, value));
  }

  // Before anything is drawn, so that a dark page does not flash.
  function useTheme() {
    const theme = state.get("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  }
  useTheme();

  function themes() {
    document.querySelectorAll(".theme").forEach((label) => {
      const select = label.querySelector("select");
      label.hidden = false;
      select.value = root.dataset.theme || "";
      select.addEventListener("change", () => {
        if (select.value) state.set("theme", select.value);
        else state.delete("theme");
        useTheme();
        keep();
      });
    });
  }

  // The theme goes along to other pages, and the whole view to the same page in another language.
  function carry(event) {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link || link.getAttribute("href").startsWith("#") || link.protocol !== location.protocol || link.host !== location.host) return;
    if (!link.pathname.endsWith(".html")) return;
    const address = new URL(link.href);
    if (link.hreflang) address.search = state.toString();
    else if (state.get("theme")) address.searchParams.set("theme", state.get("theme"));
    else return;
    link.href = address.href;
  }

  // Sorting: a key is a column and a direction; "sort=scores:-topic,0" sorts by topic, then model.
  function sortable(table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const first = [...body.rows];
    let keys = [];

    const nameOf = (head) => head.dataset.column || String(heads.indexOf(head));
    const numeric = (head) => head.dataset.sort === "number";

    function value(row, place, number) {
      const cell = row.cells[place];
      const told = cell.dataset.value;
      const text = told === undefined ? cell.textContent.trim() : told;
      const found = text === "" ? NaN : Number(text);
      if (number || (told !== undefined && !Number.isNaN(found))) return Number.isNaN(found) ? null : found;
      return text;
    }

    function compare(one, other) {
      for (const { head, sign } of keys) {
        const place = heads.indexOf(head);
        const a = value(one, place, numeric(head));
        const b = value(other, place, numeric(head));
        if (a === b) continue;
        if (a === null) return 1; // what is missing stands last, either way round
        if (b === null) return -1;
        const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
        if (order) return sign * order;
      }
      return first.indexOf(one) - first.indexOf(other);
    }

    function show() {
      body.append(...[...first].sort(compare));
      heads.forEach((head) => {
        const place = keys.findIndex((key) => key.head === head);
        const button = head.querySelector(".sort");
        if (!button) return;
        if (place === 0) head.setAttribute("aria-sort", keys[0].sign > 0 ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
        const arrow = place < 0 ? "↕" : keys[place].sign > 0 ? "↑" : "↓";
        button.textContent = arrow + (keys.length > 1 && place >= 0 ? place + 1 : "");
      });
    }

    function press(head, more) {
      const start = numeric(head) ? -1 : 1;
      const known = keys.find((key) => key.head === head);
      const next = !known ? start : known.sign === start ? -start : 0;
      if (!more) keys = [];
      else if (known && next === 0) keys = keys.filter((key) => key !== known);
      if (next && more && known) known.sign = next;
      else if (next) keys.push({ head, sign: next });
      const told = keys.map((key) => (key.sign < 0 ? "-" : "") + nameOf(key.head)).join(",");
      const rest = state.getAll("sort").filter((sort) => !sort.startsWith(table.dataset.table + ":"));
      setAll("sort", told ? [...rest, table.dataset.table + ":" + told] : rest);
      keep();
      show();
    }

    heads.filter((head) => head.dataset.sort).forEach((head) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = "↕";
      const words = (head.querySelector("a, abbr") || head).textContent.trim();
      button.setAttribute("aria-label", table.dataset.words.replace("{column}", words));
      button.title = table.dataset.hint;
      button.addEventListener("click", (event) => press(head, event.shiftKey));
      head.append(" ", button);
    });

    const given = state.getAll("sort").find((sort) => sort.startsWith(table.dataset.table + ":"));
    if (given) {
      given.slice(table.dataset.table.length + 1).split(",").forEach((told) => {
        const name = told.replace(/^-/, "");
        const head = heads.find((one) => one.dataset.sort && nameOf(one) === name);
        if (head) keys.push({ head, sign: told.startsWith("-") ? -1 : 1 });
      });
      show();
    }
  }

  // Filters: a form of check boxes and a search field for one table.
  function filtered(form) {
    const table = document.querySelector(`table[data-table="${CSS.escape(form.dataset.for)}"]`);
    if (!table) return;
    const heads = [...table.tHead.rows[0].cells];
    const boxes = [...form.querySelectorAll("input[type=checkbox]")];
    const search = form.querySelector("input[type=search]");
    const status = form.querySelector(".status");
    const names = [...new Set(boxes.map((box) => box.name))];
    const turned = (box) => box.name === "hide"; // checked means shown

    function fits(row) {
      const words = search ? search.value.trim().toLowerCase() : "";
      if (words && !row.cells[0].textContent.toLowerCase().includes(words)) return false;
      const models = state.getAll("m");
      if (row.dataset.m !== undefined && models.length) {
        const both = row.dataset.m.split(" ");
        if (!both[models.length > 1 ? "every" : "some"]((one) => models.includes(one))) return false;
      }
      return ["stage", "base", "recipe"].every((facet) => {
        const chosen = state.getAll(facet);
        return !chosen.length || row.dataset[facet] === undefined || chosen.includes(row.dataset[facet]);
      });
    }

    function stays(head) {
      if (head.dataset.column === undefined) return true;
      if (state.getAll("hide").includes(head.dataset.column)) return false;
      return ["kind", "language"].every((facet) => {
        const chosen = state.getAll(facet);
        return !chosen.length || chosen.includes(head.dataset[facet]);
      });
    }

    function show() {
      const kept = heads.map(stays);
      heads.forEach((head, place) => (head.hidden = !kept[place]));
      const rows = [...table.tBodies[0].rows];
      rows.forEach((row) => {
        row.hidden = !fits(row);
        [...row.cells].forEach((cell, place) => (cell.hidden = !kept[place]));
      });
      form.querySelectorAll(".facet").forEach((facet) => {
        const inside = [...facet.querySelectorAll("input")];
        const count = inside.filter((box) => box.checked !== turned(box)).length;
        facet.querySelector(".chosen").textContent = count ? (turned(inside[0]) ? "−" : "") + count : "";
      });
      const shown = rows.filter((row) => !row.hidden).length;
      status.textContent = status.dataset.text.replace("{shown}", shown).replace("{all}", rows.length);
    }

    function read() {
      names.forEach((name) => setAll(name, boxes.filter((box) => box.name === name && box.checked !== turned(box)).map((box) => box.value)));
      if (search) setAll("q", search.value.trim() ? [search.value.trim()] : []);
      keep();
      show();
    }

    boxes.forEach((box) => (box.checked = state.getAll(box.name).includes(box.value) !== turned(box)));
    if (search) search.value = state.get("q") || "";
    form.addEventListener("input", read);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      boxes.forEach((box) => (box.checked = turned(box)));
      if (search) search.value = "";
      read();
    });
    form.hidden = false;
    show();
  }

  // Lists of a facet close as menus do.
  function closing() {
    const open = () => [...document.querySelectorAll(".facet[open]")];
    document.addEventListener("click", (event) => open().forEach((one) => one.contains(event.target) || (one.open = false)));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      open().forEach((one) => {
        one.open = false;
        one.querySelector("summary").focus();
      });
    });
  }

  // A link to something inside a closed list opens it.
  function reveal() {
    let found = null;
    try {
      found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return; // no text in the address's own encoding
    }
    let closed = false;
    for (let one = found && found.closest("details"); one; one = one.parentElement.closest("details")) {
      closed = closed || !one.open;
      one.open = true;
    }
    if (closed) found.scrollIntoView();
  }

  document.addEventListener("DOMContentLoaded", () => {
    themes();
    document.querySelectorAll("table.sortable").forEach(sortable);
    document.querySelectorAll("form.controls").forEach(filtered);
    closing();
    reveal();
  });
  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", carry, true);
  document.addEventListener("auxclick", carry, true);
})();
