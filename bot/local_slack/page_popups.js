// What floats above the page: menus, lists of options, and "are you sure".
import { h } from "./page_dom.js";

let open = null; // {node, anchor, close}

const layer = () => document.getElementById("layer");

function place(node, anchor, { above = false, wide = false } = {}) {
  const box = anchor.getBoundingClientRect();
  if (wide) node.style.width = `${box.width}px`;
  const size = node.getBoundingClientRect();
  const below = window.innerHeight - box.bottom;
  const up = above || (below < size.height + 12 && box.top > below);
  const top = up ? box.top - size.height - 6 : box.bottom + 6;
  const left = Math.min(Math.max(8, box.left), window.innerWidth - size.width - 8);
  node.style.top = `${Math.max(8, top)}px`;
  node.style.left = `${left}px`;
}

export function closePopup() {
  open?.close();
}

export function popupIsOpen() {
  return open !== null;
}

/** Closes a menu whose anchor the last refresh took away. */
export function tidyPopups() {
  if (open && !open.anchor.isConnected) closePopup();
}

function show(node, anchor, options) {
  closePopup();
  const away = (event) => {
    if (!node.contains(event.target) && !anchor.contains(event.target)) closePopup();
  };
  const close = () => {
    node.remove();
    document.removeEventListener("mousedown", away, true);
    anchor.setAttribute("aria-expanded", "false");
    open = null;
    options.onclose?.();
  };
  layer().append(node);
  place(node, anchor, options);
  document.addEventListener("mousedown", away, true);
  anchor.setAttribute("aria-expanded", "true");
  open = { node, anchor, close };
}

/** A menu of buttons. items: [{label, detail?, run, danger?, current?, testid?, value?} | "-" | {heading}] */
export function openMenu(anchor, items, { label = "Menu", above = false } = {}) {
  if (open?.anchor === anchor) return closePopup();
  const menu = h("div", { class: "popup menu", role: "menu", "aria-label": label });
  for (const item of items) menu.append(menuRow(item, anchor));
  const rows = () => [...menu.querySelectorAll("[role=menuitem]")];
  menu.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step)
      rows()
        .at((rows().indexOf(document.activeElement) + step) % rows().length)
        ?.focus();
    if (event.key === "Tab") closePopup();
    if (event.key === "Escape") {
      closePopup();
      anchor.focus();
    }
    if (step || event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  show(menu, anchor, { above });
  rows()[0]?.focus({ preventScroll: true });
}

function menuRow(item, anchor) {
  if (item === "-") return h("hr");
  if (item.heading) return h("div", { class: "menu-heading" }, item.heading);
  const run = () => {
    closePopup();
    anchor.focus();
    item.run();
  };
  return h(
    "button",
    {
      class: item.danger ? "menu-row danger" : "menu-row",
      type: "button",
      role: "menuitem",
      onclick: run,
      "data-testid": item.testid,
      "data-value": item.value,
      "aria-current": item.current ? "true" : null,
    },
    item.before,
    h("span", { class: "menu-label" }, item.label),
    item.detail && h("span", { class: "menu-detail" }, item.detail),
  );
}

/**
 * A list of choices under a text box, whose keys it takes (up, down, Enter, Tab, Escape).
 * choices: [{label, detail?, value, before?, chosen?} | {heading}]. Returns {set(choices), key(event) -> taken?, close()}.
 */
export function openList(anchor, { pick, above = false, label = "Choices", onclose, empty = "No matches", first = 0 }) {
  const list = h("div", {
    class: "popup list",
    role: "listbox",
    "aria-label": label,
    id: `list-${Math.random().toString(36).slice(2)}`,
  });
  let rows = [];
  let index = first;
  const mark = () => {
    rows.forEach(([row], at) => row.setAttribute("aria-selected", at === index ? "true" : "false"));
    rows[index]?.[0].scrollIntoView({ block: "nearest" });
    if (rows[index]) anchor.setAttribute("aria-activedescendant", rows[index][0].id);
    else anchor.removeAttribute("aria-activedescendant");
  };
  const set = (choices) => {
    rows = [];
    list.replaceChildren(
      ...choices.map((choice, at) => {
        if (choice.heading) return h("div", { class: "menu-heading", role: "presentation" }, choice.heading);
        const row = h(
          "div",
          {
            class: choice.chosen ? "menu-row chosen" : "menu-row",
            role: "option",
            id: `${list.id}-${at}`,
            "data-value": choice.value,
            onmousedown: (event) => event.preventDefault(),
            onclick: () => pick(choice),
          },
          choice.before,
          h("span", { class: "menu-label" }, choice.label),
          choice.detail && h("span", { class: "menu-detail" }, choice.detail),
        );
        rows.push([row, choice]);
        return row;
      }),
    );
    if (!rows.length) list.append(h("div", { class: "menu-heading" }, empty));
    index = Math.min(Math.max(index, first), rows.length - 1);
    mark();
    place(list, anchor, { above, wide: true });
  };
  const key = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && rows.length) index = (index + step + rows.length) % rows.length;
    else if (event.key === "Escape") closePopup();
    else if (["Enter", "Tab"].includes(event.key) && !event.shiftKey && rows[index]) pick(rows[index][1], event.key);
    else return false;
    mark();
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  show(list, anchor, { above, wide: true, onclose });
  anchor.setAttribute("aria-controls", list.id);
  return { set, key, close: closePopup, node: list, current: () => rows[index]?.[1], isOpen: () => list.isConnected };
}

/** A small dialog; true when the person agrees. confirm: Slack's confirm object, with plain texts or text objects. */
export function ask(confirm) {
  const text = (object) => (typeof object === "string" ? object : (object?.text ?? ""));
  const before = document.activeElement;
  return new Promise((resolve) => {
    const answer = (yes) => {
      veil.remove();
      before?.focus?.();
      resolve(yes);
    };
    const agree = h(
      "button",
      {
        class: `button ${confirm.style === "danger" ? "danger" : "primary"}`,
        type: "button",
        "data-testid": "confirm",
        onclick: () => answer(true),
      },
      text(confirm.confirm) || "Yes",
    );
    const veil = h(
      "div",
      {
        class: "veil top",
        onkeydown: (event) => {
          event.stopPropagation();
          if (event.key === "Escape") answer(false);
          trapFocus(event, veil);
        },
      },
      h(
        "div",
        {
          class: "modal small",
          role: "alertdialog",
          "aria-modal": "true",
          "aria-label": text(confirm.title) || "Confirm",
        },
        h("header", { class: "modal-head" }, h("h2", null, text(confirm.title) || "Are you sure?")),
        h("div", { class: "modal-body" }, h("p", null, text(confirm.text))),
        h(
          "footer",
          { class: "modal-foot" },
          h(
            "button",
            { class: "button", type: "button", "data-testid": "deny", onclick: () => answer(false) },
            text(confirm.deny) || "Cancel",
          ),
          agree,
        ),
      ),
    );
    layer().append(veil);
    agree.focus();
  });
}

/** Keeps Tab inside a dialog. */
export function trapFocus(event, dialog) {
  if (event.key !== "Tab") return;
  const all = [...dialog.querySelectorAll("button, input, textarea, a[href], [tabindex='0']")].filter(
    (node) => !node.disabled && node.offsetParent !== null,
  );
  const edge = event.shiftKey ? all[0] : all.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all[0])?.focus();
}
