// Builds DOM nodes, and changes a live tree into a newly built one without losing focus, scroll or typed text.
// Everything shown comes from outside and is untrusted: text only ever becomes text nodes and attributes.

const HANDLERS = [
  "onclick",
  "oninput",
  "onchange",
  "onkeydown",
  "onfocus",
  "onblur",
  "onsubmit",
  "onmousedown",
  "onscroll",
];

/** h("p", {class: "quiet", key: "k", onclick: f}, "text", node, [more]): an element. Keys tell siblings apart. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (HANDLERS.includes(name)) node[name] = value;
    else if (name === "key") node.key = value;
    else if (name === "value" || name === "checked") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  add(node, children);
  return node;
}

export function add(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child);
  }
  return node;
}

/** Stands for a node that need not be built again: morph keeps the live one with this key. */
export function keep(key) {
  return h("template", { key, "data-keep": true });
}

const ICONS = {
  hash: "M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16",
  lock: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
  close: "M6 6l12 12M18 6 6 18",
  dots: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  reply: "M4 5h16v11H11l-5 4v-4H4z",
  send: "M4 4l17 8-17 8 3-8zM7 12h7",
  bolt: "M13 3 5 14h6l-1 7 8-11h-6z",
  at: "M15.5 12a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zm0-3.5V13a2.3 2.3 0 0 0 4.6 0v-1A8.1 8.1 0 1 0 17 18.4",
  down: "M7 10l5 5 5-5",
  check: "M5 12.5l4.5 4.5L19 7.5",
  eye: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6zm9 2.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  stop: "M7 7h10v10H7z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Makes `live` look like `next`. What a person types (value, checked) is never touched. */
export function morph(live, next) {
  if (next.dataset?.keep !== undefined) return live;
  if (live.nodeType !== next.nodeType || live.nodeName !== next.nodeName || live.key !== next.key) {
    live.replaceWith(next);
    return next;
  }
  if (live.nodeType === Node.TEXT_NODE) {
    if (live.data !== next.data) live.data = next.data;
    return live;
  }
  for (const { name } of [...live.attributes]) if (!next.hasAttribute(name)) live.removeAttribute(name);
  for (const { name, value } of next.attributes) if (live.getAttribute(name) !== value) live.setAttribute(name, value);
  for (const name of HANDLERS) live[name] = next[name];
  if (!["TEXTAREA", "INPUT"].includes(live.nodeName)) morphChildren(live, next);
  return live;
}

function morphChildren(live, next) {
  const wanted = new Set([...next.childNodes].map((child) => child.key).filter((key) => key !== undefined));
  const kept = new Map();
  for (const child of [...live.childNodes]) {
    if (child.key === undefined) continue;
    if (wanted.has(child.key)) kept.set(child.key, child);
    else child.remove();
  }
  let cursor = live.firstChild;
  for (const child of [...next.childNodes]) {
    const found = child.key === undefined ? cursor : kept.get(child.key);
    const fits =
      found && found.key === child.key && (found.nodeName === child.nodeName || child.dataset?.keep !== undefined);
    if (!fits) {
      live.insertBefore(child, cursor);
      if (found && found.key !== undefined && found.key === child.key) {
        if (found === cursor) cursor = cursor.nextSibling;
        found.remove();
      }
      continue;
    }
    if (found === cursor) cursor = cursor.nextSibling;
    else live.insertBefore(found, cursor);
    morph(found, child);
  }
  while (cursor) {
    const after = cursor.nextSibling;
    cursor.remove();
    cursor = after;
  }
}
