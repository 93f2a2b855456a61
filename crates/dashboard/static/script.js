// Makes pages smoother that work without it. Every form and link does the same when this file is missing.
//
//   data-enhance="id"        a form or link: fetched, and the element with this id is replaced by the one in the answer
//   data-search              such a form: sent while one types; its state goes into the address
//   data-submit-on-change    such a form: sent when a choice changes
//   data-presses="id"        a choice: presses the button with this id when it changes, and swaps the element data-swaps
//                            names; with data-shape only where the chosen option has another one
//   data-draft               a button: what it sends is not saved by it
//   data-dialog              a link: the page's [data-dialog-content] is shown in a dialog
//   data-live="path"         where server-sent events come from; [data-live-region] with an id is kept up to date
//   data-refresh             such a region: looked at every 10 s too, as the stream tells of what is served and of nothing else
//   data-sort                a list in a form: its [draggable] children can be moved, then the form is sent
//   data-json="always|maybe" a text area: checked as JSON while one types
//   data-sum="100"           a fieldset: its [data-weight] fields are added up in [data-sum-shown]
//   data-confirm="name"      a field: the form's button waits until it says this
//   data-copy="id"           a button: copies the text of an element
//   data-shortcut="g f"      keys for a link, a button or a field
"use strict";

(() => {
  const FRAGMENT = "X-Flagstaff-Fragment";
  const byId = (id) => document.getElementById(id);
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const isField = (element) => Boolean(element?.closest?.("input, textarea, select, [contenteditable]"));

  // --- Fetching and replacing ---

  let searching = null;

  async function fetchPage(address, options = {}, kind = "page") {
    const headers = { [FRAGMENT]: kind, Accept: "text/html" };
    const answer = await fetch(address, { credentials: "same-origin", headers, ...options });
    const text = await answer.text();
    return { answer, page: new DOMParser().parseFromString(text, "text/html") };
  }

  function remembered() {
    const active = document.activeElement;
    if (!active || !active.id) return null;
    let selection = null;
    try { selection = isField(active) ? [active.selectionStart, active.selectionEnd] : null; } catch { selection = null; }
    return { id: active.id, selection };
  }

  function focusAgain(memory) {
    const element = memory && byId(memory.id);
    if (!element || element === document.activeElement) return;
    element.focus({ preventScroll: true });
    try { if (memory.selection) element.setSelectionRange(...memory.selection); } catch { /* No text field. */ }
  }

  const isBox = (field) => field.type === "checkbox" || field.type === "radio";
  const fieldStates = (root) => new Map([...root.querySelectorAll("input[id]:not([type=hidden]), textarea[id], select[id]")]
    .map((field) => [field.id, isBox(field) ? field.checked : field.value]));

  // What was typed or chosen while the answer was on its way stays.
  function keepTyped(here, there, sent) {
    for (const [id, state] of fieldStates(here)) {
      const field = sent.has(id) && sent.get(id) !== state && there.querySelector(`#${CSS.escape(id)}`);
      if (field) field[isBox(field) ? "checked" : "value"] = state;
    }
  }

  function replace(id, page, sent) {
    const here = byId(id);
    const there = page.getElementById(id);
    if (!here || !there) return false;
    const memory = remembered();
    const opened = [...here.querySelectorAll("details[open][id]")].map((each) => each.id);
    if (sent) keepTyped(here, there, sent);
    here.replaceWith(document.adoptNode(there));
    for (const each of opened) byId(each)?.setAttribute("open", "");
    focusAgain(memory);
    prepare(there);
    if (id === "main") listen();
    return true;
  }

  function takeNotices(page) {
    for (const notice of page.querySelectorAll("#notices > .notice")) show(document.adoptNode(notice));
  }

  function closeButton(close) {
    const button = make("button", { type: "button", className: "close", textContent: "×", onclick: close });
    button.setAttribute("aria-label", "Close");
    return button;
  }

  function show(notice) {
    const region = byId("notices");
    if (!region) return;
    for (const old of region.children) old.remove();
    notice.append(closeButton(() => notice.remove()));
    region.append(notice);
    if (!notice.classList.contains("problem")) leave(notice, notice.querySelector("form") ? 12000 : 6000);
  }

  // A notice stays while somebody points at it or is in it.
  function leave(notice, after) {
    setTimeout(() => {
      const busy = notice.matches(":hover") || notice.contains(document.activeElement);
      if (busy) leave(notice, 2000);
      else notice.remove();
    }, after);
  }

  function say(text) {
    const notice = make("div", { className: "notice problem" });
    notice.append(make("p", { textContent: text }));
    show(notice);
  }

  // Puts an answer into the page; what has no place in it is opened as a page of its own.
  function take({ answer, page }, target, remember, sent) {
    const dialog = byId("dialog");
    const within = dialog?.open && page.querySelector("[data-dialog-content]");
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname && target !== "main") target = "main";
    if (answer.status === 403 || answer.status === 404 || answer.status >= 500) {
      const heading = page.querySelector("main p") ?? page.querySelector("h1");
      say(heading?.textContent || `The server answered ${answer.status}.`);
      return;
    }
    if (within && answer.status === 422) {
      fill(dialog, page);
      return;
    }
    if (dialog?.open) dialog.close();
    if (!replace(target, page, answer.redirected ? null : sent)) {
      location.assign(answer.url);
      return;
    }
    takeNotices(page);
    const title = page.querySelector("title");
    if (title) document.title = title.textContent;
    if (remember === "push" && answer.url !== location.href) history.pushState({}, "", answer.url);
    if (remember === "replace") history.replaceState({}, "", answer.url);
    const wanted = byId(target)?.querySelector("[autofocus]");
    if (wanted) wanted.focus();
    else if (answer.status === 422) byId(target).querySelector('[aria-invalid="true"], [role="alert"]')?.focus();
    else if (answer.redirected && target === "main" && document.activeElement === document.body) byId("main").focus({ preventScroll: true });
  }

  async function send(form, submitter) {
    const data = new FormData(form, submitter ?? undefined);
    const fields = new URLSearchParams();
    for (const [name, value] of data) if (typeof value === "string") fields.append(name, value);
    const method = (submitter?.getAttribute("formmethod") ?? form.method).toLowerCase();
    const address = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.pathname;
    const target = submitter?.dataset.enhance ?? form.dataset.enhance;
    const isSearch = method === "get";
    if (isSearch) {
      searching?.abort();
      searching = new AbortController();
      for (const [name, value] of [...fields]) if (value === "") fields.delete(name, value);
    }
    const signal = isSearch ? searching.signal : undefined;
    const query = fields.toString();
    const url = isSearch ? `${address.split("?")[0]}${query && "?"}${query}` : address;
    const sent = fieldStates(document);
    form.setAttribute("aria-busy", "true");
    form.dataset.pressed = submitter?.id ?? "";
    let next = null;
    if (submitter) submitter.classList.add("busy");
    try {
      const options = isSearch ? { signal } : { method: "POST", body: fields };
      const answer = await fetchPage(url, options);
      if (submitter?.dataset.draft === undefined) delete form.dataset.dirty;
      take(answer, target, isSearch ? "replace" : "push", sent);
      if (!answer.answer.redirected) next = form.dataset.next;
    } catch (error) {
      if (error.name !== "AbortError") say("The server cannot be reached. Nothing was changed.");
    } finally {
      if (!signal?.aborted) form.removeAttribute("aria-busy");
      delete form.dataset.next;
      submitter?.classList.remove("busy");
    }
    if (next) byId(next)?.click();
  }

  async function follow(link) {
    searching?.abort();
    searching = new AbortController();
    try {
      take(await fetchPage(link.href, { signal: searching.signal }), link.dataset.enhance, "push");
    } catch (error) {
      if (error.name !== "AbortError") location.assign(link.href);
    }
  }

  // --- Dialogs ---

  // The page below may have fields of the same names: what is in the dialog gets ids of its own.
  function renameIds(content) {
    const own = (id) => id.split(" ").map((each) => `dialog-${each}`).join(" ");
    for (const each of content.querySelectorAll("[id]")) each.id = own(each.id);
    for (const name of ["for", "aria-describedby", "aria-labelledby", "form", "data-copy"]) {
      for (const each of content.querySelectorAll(`[${name}]`)) each.setAttribute(name, own(each.getAttribute(name)));
    }
  }

  function fill(dialog, page) {
    const content = page.querySelector("[data-dialog-content]");
    renameIds(content);
    content.querySelector("h1, h2")?.setAttribute("id", "dialog-title");
    dialog.replaceChildren(closeButton(() => dialog.close()), document.adoptNode(content));
    prepare(dialog);
  }

  async function openDialog(link) {
    const dialog = byId("dialog");
    try {
      const { answer, page } = await fetchPage(link.href);
      if (!answer.ok || !page.querySelector("[data-dialog-content]")) {
        location.assign(link.href);
        return;
      }
      fill(dialog, page);
      if (!dialog.open) dialog.showModal();
      dialog.querySelector("input:not([type=hidden]), textarea, select")?.focus();
    } catch {
      location.assign(link.href);
    }
  }

  function openHelp() {
    const dialog = byId("dialog");
    if (!dialog || dialog.open) return;
    const page = document.implementation.createHTMLDocument("");
    const list = [["?", "This help"]];
    for (const each of document.querySelectorAll("[data-shortcut]")) {
      const label = each.getAttribute("aria-label") ?? each.dataset.shortcutLabel ?? each.textContent;
      list.push([each.dataset.shortcut, label.trim()]);
    }
    const content = make("div");
    content.dataset.dialogContent = "";
    const shown = make("dl");
    for (const [keys, label] of list) {
      const term = make("dt");
      for (const key of keys.split(" ")) term.append(make("kbd", { textContent: key }), " ");
      shown.append(term, make("dd", { textContent: label }));
    }
    content.append(make("h2", { textContent: "Keyboard shortcuts" }), shown);
    page.body.append(content);
    fill(dialog, page);
    dialog.showModal();
  }

  // --- What others change ---

  let [source, waiting, isRefreshing, isAskedAgain] = [null, null, false, false];

  function listen() {
    const path = byId("main")?.dataset.live;
    if (source?.path === path) return;
    source?.events.close();
    source = null;
    if (!path || !window.EventSource) return;
    const events = new EventSource(path);
    source = { path, events };
    // What changed before the stream was open, or while it was away, is told by nobody.
    events.addEventListener("open", () => refreshIn(50));
    events.addEventListener("changed", () => refreshIn(50));
    // Browsers connect again after a lost connection, but not after a refusal.
    events.addEventListener("error", () => {
      if (events.readyState !== EventSource.CLOSED || source?.events !== events) return;
      source = null;
      setTimeout(listen, 30000);
    });
  }

  function refreshIn(milliseconds) {
    clearTimeout(waiting);
    waiting = setTimeout(refreshInTurn, milliseconds);
  }

  // One at a time: an answer that comes late must not replace a newer one.
  async function refreshInTurn() {
    if (isRefreshing) {
      isAskedAgain = true;
      return;
    }
    isRefreshing = true;
    do {
      isAskedAgain = false;
      await refresh();
    } while (isAskedAgain);
    isRefreshing = false;
  }

  const isDirty = (region) => region.matches("[data-dirty]") || Boolean(region.querySelector("[data-dirty]"));

  async function refresh() {
    const regions = [...document.querySelectorAll("[data-live-region][id]")];
    if (!regions.length) return;
    let fetched;
    try { fetched = await fetchPage(location.href, {}, "live"); } catch { fetched = null; }
    // Somebody's own form has its turn first.
    if (!fetched?.answer.ok || document.querySelector('form[aria-busy="true"]')) {
      refreshIn(fetched?.answer.ok ? 300 : 5000);
      return;
    }
    for (const region of regions) {
      const there = fetched.page.getElementById(region.id);
      if (!there || !region.isConnected || there.dataset.version === region.dataset.version) continue;
      if (isDirty(region)) byId("conflict")?.removeAttribute("hidden");
      else replace(region.id, fetched.page);
    }
  }

  // --- Fields ---

  const JSON_START = /^\s*[[{]/;

  function checkJson(area) {
    const shown = byId(`${area.id}-check`);
    if (!shown) return;
    const isAsked = area.value.trim() !== "" && (area.dataset.json === "always" || JSON_START.test(area.value));
    let text = "";
    let good = true;
    if (isAsked) {
      try { JSON.parse(area.value); text = "Valid JSON"; } catch (error) { good = false; text = `Not valid JSON: ${error.message}`; }
    }
    if (shown.textContent !== text) shown.textContent = text;
    shown.classList.toggle("bad", !good);
  }

  function addUp(group) {
    const shown = group.querySelector("[data-sum-shown]");
    if (!shown) return;
    const most = Number(group.dataset.sum);
    let sum = 0;
    for (const field of group.querySelectorAll("[data-weight]")) sum += Number(field.value) || 0;
    const rounded = Math.round(sum * 1000) / 1000;
    const rest = Math.round((most - sum) * 1000) / 1000;
    shown.textContent = rest < 0 ? `${rounded} % is ${-rest} % too much` : `${rounded} % in variants, ${rest} % keep the control value`;
    shown.classList.toggle("bad", rest < 0);
  }

  function press(form, choice) {
    const shape = choice.selectedOptions?.[0]?.dataset.shape;
    if (shape !== undefined && shape === choice.dataset.shape) return;
    const button = byId(choice.dataset.presses);
    button.dataset.enhance = choice.dataset.swaps;
    form.requestSubmit(button);
  }

  function awaitName(field) {
    const button = field.form?.querySelector("button[type=submit]");
    // A line of text holds no newlines, though a name may.
    if (button) button.disabled = field.value.trim() !== field.dataset.confirm.replaceAll(/[\r\n]/g, "").trim();
  }

  // --- Moving rows ---

  let dragged = null;

  function onDrag(event) {
    const list = event.target.closest?.("[data-sort]");
    if (!dragged || list !== dragged.list) return;
    event.preventDefault();
    const row = event.target.closest("[draggable]");
    if (!row || row === dragged.row) return;
    const box = row.getBoundingClientRect();
    const isBelow = event.clientY > box.top + box.height / 2;
    row.parentNode.insertBefore(dragged.row, isBelow ? row.nextSibling : row);
    dragged.moved = true;
  }

  // --- Keys ---

  let pressed = "";
  let forgetting = null;

  function onKey(event) {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) {
        const inside = menu.contains(document.activeElement);
        menu.removeAttribute("open");
        if (inside) menu.querySelector("summary").focus();
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target) || byId("dialog")?.open) return;
    if (event.key === "?") {
      event.preventDefault();
      openHelp();
      return;
    }
    if (event.key.length !== 1) return;
    pressed = `${pressed} ${event.key}`.trim().split(" ").slice(-2).join(" ");
    clearTimeout(forgetting);
    forgetting = setTimeout(() => { pressed = ""; }, 1000);
    const last = pressed.split(" ").at(-1);
    const found = [...document.querySelectorAll("[data-shortcut]")]
      .find((each) => each.dataset.shortcut === pressed || each.dataset.shortcut === last);
    if (!found) return;
    event.preventDefault();
    pressed = "";
    if (isField(found)) { found.focus(); found.select?.(); } else found.click();
  }

  // --- Everything at once ---

  let typing = null;

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const target = event.submitter?.dataset.enhance ?? form.dataset.enhance;
    if (!target || !byId(target)) return;
    event.preventDefault();
    if (form.method !== "post" || form.getAttribute("aria-busy") !== "true") send(form, event.submitter);
    // Pressed twice is pressed once; another button has its turn when the answer is there.
    else if (event.submitter?.id !== form.dataset.pressed || event.submitter.dataset.draft !== undefined) form.dataset.next = event.submitter?.id ?? "";
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    }
    if (event.target.closest("[data-help]")) openHelp();
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard?.writeText(byId(copy.dataset.copy).textContent).then(() => {
        const before = copy.textContent;
        copy.textContent = "Copied";
        setTimeout(() => { copy.textContent = before; }, 1500);
      });
    }
    const link = event.target.closest("a[data-enhance], a[data-dialog]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented) return;
    event.preventDefault();
    if (link.dataset.dialog !== undefined) openDialog(link);
    else follow(link);
  });

  document.addEventListener("input", (event) => {
    const field = event.target;
    const form = field.form;
    if (field.dataset.json) checkJson(field);
    if (field.dataset.confirm !== undefined) awaitName(field);
    const sum = field.closest("[data-sum]");
    if (sum) addUp(sum);
    if (!form) return;
    if (form.dataset.search !== undefined && field.type === "search") {
      clearTimeout(typing);
      typing = setTimeout(() => form.isConnected && send(form), 180);
    } else if (form.method === "post") form.dataset.dirty = "";
  });

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && event.target.dataset.presses) press(form, event.target);
    if (form?.dataset.submitOnChange !== undefined && event.target.type !== "search") form.requestSubmit();
    const all = event.target.closest("[data-tick-all]");
    if (all) for (const box of document.querySelectorAll(`[name="${all.dataset.tickAll}"]`)) box.checked = all.checked;
  });

  document.addEventListener("dragstart", (event) => {
    const row = event.target.closest?.("[data-sort] [draggable]");
    if (!row) return;
    dragged = { row, list: row.closest("[data-sort]"), moved: false };
    row.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
  });
  document.addEventListener("dragover", onDrag);
  document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    const { row, list, moved } = dragged;
    row.classList.remove("dragged");
    dragged = null;
    const form = list.closest("form");
    if (moved && form) form.requestSubmit(form.querySelector("[data-sort-submit]") ?? undefined);
  });

  document.addEventListener("keydown", onKey);
  window.addEventListener("popstate", async () => {
    try { take(await fetchPage(location.href), "main", "none"); } catch { location.reload(); }
  });
  setInterval(() => { if (!document.hidden && document.querySelector("[data-refresh]")) refreshIn(0); }, 10000);
  window.addEventListener("pagehide", () => source?.events.close());

  function prepare(root) {
    for (const each of root.querySelectorAll("[data-copy], [data-help], [data-with-script]")) each.hidden = false;
    for (const each of root.querySelectorAll("[data-without-script]")) each.hidden = true;
    for (const area of root.querySelectorAll("[data-json]")) checkJson(area);
    for (const group of root.querySelectorAll("[data-sum]")) addUp(group);
    for (const field of root.querySelectorAll("[data-confirm]")) awaitName(field);
    for (const row of root.querySelectorAll("[data-sort] > *")) row.draggable = true;
  }

  document.documentElement.classList.add("scripted");
  prepare(document);
  for (const notice of document.querySelectorAll("#notices > .notice")) show(notice);
  listen();
})();
