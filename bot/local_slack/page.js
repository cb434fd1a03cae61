// The page of the local Slack: no framework, no build step; everything that comes from outside becomes text nodes.


// ────────────────────
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
function h(tag, props, ...children) {
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

function add(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child);
  }
  return node;
}

/** Stands for a node that need not be built again: morph keeps the live one with this key. */
function keep(key) {
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

function icon(name) {
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
function morph(live, next) {
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



// ────────────────────
// Slack's mrkdwn, Markdown and rich_text, as DOM nodes.

const EMOJI = {
  "+1": "👍",
  thumbsup: "👍",
  "-1": "👎",
  thumbsdown: "👎",
  wave: "👋",
  tada: "🎉",
  eyes: "👀",
  heart: "❤️",
  fire: "🔥",
  rocket: "🚀",
  sparkles: "✨",
  bulb: "💡",
  warning: "⚠️",
  x: "❌",
  no_entry: "⛔",
  no_entry_sign: "🚫",
  question: "❓",
  grey_question: "❔",
  exclamation: "❗",
  white_check_mark: "✅",
  heavy_check_mark: "✔️",
  ballot_box_with_check: "☑️",
  heavy_plus_sign: "➕",
  heavy_minus_sign: "➖",
  hourglass: "⌛",
  hourglass_flowing_sand: "⏳",
  stopwatch: "⏱️",
  clock1: "🕐",
  alarm_clock: "⏰",
  lock: "🔒",
  unlock: "🔓",
  key: "🔑",
  link: "🔗",
  paperclip: "📎",
  pushpin: "📌",
  round_pushpin: "📍",
  memo: "📝",
  pencil: "📝",
  pencil2: "✏️",
  page_facing_up: "📄",
  page_with_curl: "📃",
  clipboard: "📋",
  file_folder: "📁",
  open_file_folder: "📂",
  card_index_dividers: "🗂️",
  card_file_box: "🗃️",
  package: "📦",
  label: "🏷️",
  bookmark: "🔖",
  books: "📚",
  book: "📖",
  ticket: "🎫",
  admission_tickets: "🎟️",
  inbox_tray: "📥",
  outbox_tray: "📤",
  incoming_envelope: "📨",
  speech_balloon: "💬",
  thought_balloon: "💭",
  mag: "🔍",
  wrench: "🔧",
  hammer: "🔨",
  hammer_and_wrench: "🛠️",
  gear: "⚙️",
  bug: "🐛",
  computer: "💻",
  robot_face: "🤖",
  brain: "🧠",
  zap: "⚡",
  construction: "🚧",
  recycle: "♻️",
  wastebasket: "🗑️",
  repeat: "🔁",
  arrows_counterclockwise: "🔄",
  leftwards_arrow_with_hook: "↩️",
  arrow_right: "➡️",
  arrow_left: "⬅️",
  arrow_up: "⬆️",
  arrow_down: "⬇️",
  arrow_right_hook: "↪️",
  red_circle: "🔴",
  large_blue_circle: "🔵",
  large_green_circle: "🟢",
  large_yellow_circle: "🟡",
  large_orange_circle: "🟠",
  large_purple_circle: "🟣",
  white_circle: "⚪",
  black_circle: "⚫",
  white_large_square: "⬜",
  black_large_square: "⬛",
  white_medium_square: "◻️",
  octagonal_sign: "🛑",
  stop_sign: "🛑",
  double_vertical_bar: "⏸️",
  black_square_for_stop: "⏹️",
  arrow_forward: "▶️",
  information_source: "ℹ️",
  bell: "🔔",
  star: "⭐",
  star2: "🌟",
  smile: "😄",
  slightly_smiling_face: "🙂",
  wink: "😉",
  thinking_face: "🤔",
  joy: "😂",
  cry: "😢",
  pray: "🙏",
  clap: "👏",
  raised_hands: "🙌",
  muscle: "💪",
  100: "💯",
  bar_chart: "📊",
  chart_with_upwards_trend: "📈",
  calendar: "📆",
  date: "📅",
  seedling: "🌱",
  checkered_flag: "🏁",
  triangular_flag_on_post: "🚩",
  bust_in_silhouette: "👤",
  busts_in_silhouette: "👥",
  shield: "🛡️",
  globe_with_meridians: "🌐",
  art: "🎨",
  test_tube: "🧪",
  satellite: "📡",
};

/** Who and what ids stand for; page.js fills these in. */
const names = { user: (id) => id, channel: (id) => id, me: () => "", open: () => {} };

function unescape(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);
}

function emoji(name) {
  return EMOJI[name.split("::")[0]] ?? `:${name}:`;
}

/** A link to an http(s) or mail address; a permalink of this Slack opens in place. Anything else stays text. */
function link(url, label) {
  const shown = label ?? url;
  let address;
  try {
    address = new URL(url);
  } catch {
    return h("span", null, shown);
  }
  if (!["http:", "https:", "mailto:"].includes(address.protocol)) return h("span", null, shown);
  const anchor = h(
    "a",
    { href: address.href, title: address.href, target: "_blank", rel: "noopener noreferrer" },
    shown,
  );
  const place = address.pathname.match(/\/archives\/([CDG]\w+)\/p(\d+)(\d{6})$/);
  if (place && names.channel(place[1]) !== null) {
    anchor.onclick = (event) => {
      event.preventDefault();
      names.open(place[1], `${place[2]}.${place[3]}`, address.searchParams.get("thread_ts"));
    };
  }
  return anchor;
}

function person(id, label) {
  const mine = id === names.me();
  return h("span", { class: mine ? "mention mine" : "mention" }, "@", names.user(id) ?? label ?? id);
}

function channelMention(id, label) {
  const name = names.channel(id);
  if (name === null) return h("span", { class: "mention" }, "#", label || "private-channel");
  return h("button", { class: "mention", type: "button", onclick: () => names.open(id) }, "#", name);
}

function day(ts, pattern) {
  const at = new Date(Number(ts) * 1000);
  const spelled = {
    date_num: at.toLocaleDateString("sv"),
    date: at.toLocaleDateString(undefined, { dateStyle: "long" }),
    date_short: at.toLocaleDateString(undefined, { dateStyle: "medium" }),
    date_pretty: dayName(at),
    date_long: at.toLocaleDateString(undefined, { dateStyle: "full" }),
    time: clock(at),
    time_secs: at.toLocaleTimeString(),
  };
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => spelled[name] ?? spelled[name.replace("_pretty", "")] ?? whole);
}

function clock(at) {
  return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

function dayName(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return at.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
}

/** What stands between < and >: a person, a channel, a broadcast, a date or a link. */
function token(inside) {
  const [head, ...rest] = inside.split("|");
  const label = rest.length ? unescape(rest.join("|")) : undefined;
  if (/^@[UWB]/.test(head)) return person(head.slice(1), label);
  if (/^#[CDG]/.test(head)) return channelMention(head.slice(1), label);
  if (head.startsWith("!subteam")) return h("span", { class: "mention" }, label ?? "@group");
  if (head.startsWith("!date^")) return h("span", null, day(...head.split("^").slice(1, 3)));
  if (head.startsWith("!")) return h("span", { class: "mention mine" }, "@", head.slice(1));
  return link(unescape(head), label);
}

const BEFORE = /[\s([{"'“‘_*~\-–—/:>|]/;
const AFTER = /[\s)\]}"'”’_*~\-–—/.,:;!?…<|]/;

/** Where the mark at `at` closes, as Slack sees it: no space inside, a boundary outside; -1 when it does not. */
function closing(text, at, mark) {
  const inner = at + mark.length;
  if (at > 0 && !BEFORE.test(text[at - 1])) return -1;
  if (inner >= text.length || /\s/.test(text[inner])) return -1;
  for (let end = text.indexOf(mark, inner + 1); end !== -1; end = text.indexOf(mark, end + 1)) {
    const after = text[end + mark.length];
    if (!/\s/.test(text[end - 1]) && (after === undefined || AFTER.test(after))) return end;
  }
  return -1;
}

/** Walks a line; `rules[character](text, at)` gives [node, end] where it knows better than plain text. */
function walk(text, rules) {
  const nodes = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const hit = rules[text[at]]?.(text, at);
    if (!hit) {
      plain += text[at++];
      continue;
    }
    if (plain) nodes.push(unescape(plain));
    plain = "";
    nodes.push(hit[0]);
    at = hit[1];
  }
  if (plain) nodes.push(unescape(plain));
  return nodes;
}

function pair(tag, mark, inside) {
  return (text, at) => {
    const end = text.startsWith(mark, at) ? closing(text, at, mark) : -1;
    return end === -1 ? null : [h(tag, null, inside(text.slice(at + mark.length, end))), end + mark.length];
  };
}

function codeSpan(text, at) {
  const ticks = text.slice(at).match(/^`+/)[0];
  const end = text.indexOf(ticks, at + ticks.length);
  if (end === -1 || end === at + ticks.length) return null;
  return [h("code", null, unescape(text.slice(at + ticks.length, end))), end + ticks.length];
}

function emojiAt(text, at) {
  const found = text.slice(at, at + 60).match(/^:([a-z0-9_+'-]+(?:::skin-tone-\d)?):/);
  const drawn = found && emoji(found[1]);
  return found && !drawn.startsWith(":") ? [drawn, at + found[0].length] : null;
}

function tokenAt(text, at) {
  const found = text.slice(at).match(/^<([^<>\n]+)>/);
  return found && /^([@#!]|https?:|mailto:|[a-z]+:)/i.test(found[1]) ? [token(found[1]), at + found[0].length] : null;
}

const SLACK = {
  "`": codeSpan,
  "<": tokenAt,
  ":": emojiAt,
  "*": pair("strong", "*", (inside) => walk(inside, SLACK)),
  _: pair("em", "_", (inside) => walk(inside, SLACK)),
  "~": pair("s", "~", (inside) => walk(inside, SLACK)),
};

function firstHit(...tries) {
  return (text, at) => {
    for (const attempt of tries) {
      const hit = attempt(text, at);
      if (hit) return hit;
    }
    return null;
  };
}

function labelled(text, at) {
  const found = text
    .slice(at)
    .match(/^\[((?:[^[\]\n]|\[[^[\]\n]*\])*)\]\(\s*<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(?:\s+"[^"\n]*")?\s*\)/);
  if (!found) return null;
  const anchor = link(found[2], "");
  return [add(anchor, found[1] ? walk(found[1], MARKDOWN) : found[2]), at + found[0].length];
}

function pictured(text, at) {
  const hit = text[at + 1] === "[" ? labelled(text, at + 1) : null;
  return hit && [h("span", { class: "picture" }, "Image: ", hit[0].textContent), hit[1]];
}

function bare(text, at) {
  if (at > 0 && /\w/.test(text[at - 1])) return null;
  const found = text.slice(at).match(/^https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]}*_~]/);
  return found && [link(unescape(found[0])), at + found[0].length];
}

function escaped(text, at) {
  const next = text[at + 1];
  return next && /[!-/:-@[-`{-~]/.test(next) ? [document.createTextNode(next), at + 2] : null;
}

const nested = (inside) => walk(inside, MARKDOWN);
const MARKDOWN = {
  "\\": escaped,
  "`": codeSpan,
  "<": tokenAt,
  ":": emojiAt,
  "[": labelled,
  "!": pictured,
  h: bare,
  "*": firstHit(pair("strong", "**", nested), pair("em", "*", nested)),
  _: firstHit(pair("strong", "__", nested), pair("em", "_", nested)),
  "~": firstHit(pair("s", "~~", nested), pair("s", "~", nested)),
};

function lines(text, rules) {
  return text.split("\n").flatMap((line, index) => [index ? h("br") : null, ...walk(line, rules)]);
}

/** Slack's mrkdwn: code blocks, quotes, then what stands within lines. */
function mrkdwn(text) {
  const parts = String(text ?? "").split(/```\n?([\s\S]*?)\n?```\n?/);
  return parts.flatMap((part, index) => {
    if (index % 2) return h("pre", null, h("code", null, unescape(part)));
    return part === "" ? [] : quoted(part);
  });
}

function quoted(text) {
  const out = [];
  let run = [];
  let quoting = false;
  const flush = () => {
    if (run.length) out.push(h(quoting ? "blockquote" : "div", null, lines(run.join("\n"), SLACK)));
    run = [];
  };
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const quote = line.match(/^(?:&gt;|>) ?(.*)$/);
    if (Boolean(quote) !== quoting) flush();
    quoting = Boolean(quote);
    run.push(quote ? quote[1] : line);
  }
  flush();
  return out;
}

const ITEM = /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const FENCE = /^\s*(```+|~~~+)\s*\S*\s*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Markdown, also when its end has not come yet (an open code fence runs to the end). */
function markdown(text) {
  return markdownBlocks(
    String(text ?? "")
      .replace(/\r\n?/g, "\n")
      .split("\n"),
    0,
  );
}

function markdownBlocks(all, depth) {
  const out = [];
  let at = 0;
  while (at < all.length) {
    const [node, next] = oneBlock(all, at, depth);
    if (node) out.push(node);
    at = next;
  }
  return out;
}

function oneBlock(all, at, depth) {
  const line = all[at];
  if (!line.trim()) return [null, at + 1];
  const fence = line.match(FENCE);
  if (fence) return fenced(all, at, fence[1]);
  const heading = line.match(/^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/);
  if (heading)
    return [
      h(
        "div",
        { class: `md-h${heading[1].length}`, role: "heading", "aria-level": Math.min(heading[1].length + 2, 6) },
        walk(heading[2], MARKDOWN),
      ),
      at + 1,
    ];
  if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) return [h("hr"), at + 1];
  if (/^\s{0,3}(>|&gt;)/.test(line) && depth < 6) return quote(all, at, depth);
  if (ITEM.test(line)) return list(all, at);
  if (line.includes("|") && TABLE_RULE.test(all[at + 1] ?? "") && all[at + 1].includes("-")) return table(all, at);
  return paragraph(all, at);
}

function fenced(all, at, mark) {
  let end = at + 1;
  while (end < all.length && !all[end].trim().startsWith(mark)) end += 1;
  return [h("pre", null, h("code", null, unescape(all.slice(at + 1, end).join("\n")))), end + 1];
}

function quote(all, at, depth) {
  let end = at;
  while (end < all.length && /^\s{0,3}(>|&gt;)/.test(all[end])) end += 1;
  const inner = all.slice(at, end).map((line) => line.replace(/^\s{0,3}(>|&gt;) ?/, ""));
  return [h("blockquote", null, markdownBlocks(inner, depth + 1)), end];
}

function paragraph(all, at) {
  let end = at + 1;
  while (
    end < all.length &&
    all[end].trim() &&
    !ITEM.test(all[end]) &&
    !FENCE.test(all[end]) &&
    !/^\s{0,3}(#{1,6}\s|>|&gt;)/.test(all[end])
  )
    end += 1;
  return [
    h(
      "p",
      null,
      lines(
        all
          .slice(at, end)
          .map((line) => line.trim())
          .join("\n"),
        MARKDOWN,
      ),
    ),
    end,
  ];
}

/** A list and the lists inside it, told apart by indentation. */
function list(all, at) {
  const [, indent, marker] = all[at].match(ITEM);
  const ordered = /\d/.test(marker);
  const node = h(ordered ? "ol" : "ul", ordered ? { start: parseInt(marker, 10) } : null);
  let item = null;
  while (at < all.length) {
    const found = all[at].match(ITEM);
    const deep = all[at].match(/^\s*/)[0].length;
    if (found && deep > indent.length + 1 && item) {
      const [inner, next] = list(all, at);
      item.append(inner);
      at = next;
    } else if (found && deep >= indent.length && /\d/.test(found[2]) === ordered) {
      item = listItem(found[3]);
      node.append(item);
      at += 1;
    } else if (!found && item && all[at].trim() && deep > indent.length) {
      add(item, [h("br"), walk(all[at].trim(), MARKDOWN)]);
      at += 1;
    } else if (!all[at].trim() && all[at + 1]?.match(ITEM) && all[at + 1].match(/^\s*/)[0].length >= indent.length) {
      at += 1;
    } else break;
  }
  return [node, at];
}

function listItem(text) {
  const task = text.match(/^\[([ xX])\]\s+(.*)$/);
  if (!task) return h("li", null, walk(text, MARKDOWN));
  const done = task[1] !== " ";
  return h(
    "li",
    { class: "task" },
    h("span", { class: "box", role: "img", "aria-label": done ? "done" : "to do" }, done ? "☑" : "☐"),
    " ",
    walk(task[2], MARKDOWN),
  );
}

function table(all, at) {
  const cells = (line) =>
    line
      .trim()
      .replace(/^\||\|$/g, "")
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
  let end = at + 2;
  while (end < all.length && all[end].includes("|")) end += 1;
  const head = h(
    "tr",
    null,
    cells(all[at]).map((cell) => h("th", null, walk(cell, MARKDOWN))),
  );
  const rows = all.slice(at + 2, end).map((line) =>
    h(
      "tr",
      null,
      cells(line).map((cell) => h("td", null, walk(cell, MARKDOWN))),
    ),
  );
  return [h("div", { class: "table" }, h("table", null, h("thead", null, head), h("tbody", null, rows))), end];
}

/** A text object: {type: "mrkdwn" | "plain_text", text}. */
function textObject(object) {
  if (!object) return [];
  if (typeof object === "string") return [plain(object)];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : [plain(object.text)];
}

/** Plain text: only emoji names are drawn, and only line breaks break lines. */
function plain(text) {
  return h("span", { class: "plain" }, walk(String(text ?? ""), { ":": emojiAt }));
}

function styled(node, style) {
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u" };
  return Object.entries(tags).reduce((inner, [name, tag]) => (style?.[name] ? h(tag, null, inner) : inner), node);
}

function richLeaf(element) {
  const draw = {
    text: () => h("span", { class: "plain" }, element.text),
    link: () => link(element.url, element.text || undefined),
    user: () => person(element.user_id),
    channel: () => channelMention(element.channel_id),
    emoji: () => h("span", null, emoji(element.name)),
    broadcast: () => h("span", { class: "mention mine" }, "@", element.range),
    usergroup: () => h("span", { class: "mention" }, "@group"),
    date: () => h("span", null, day(element.timestamp, element.format ?? "{date}")),
    color: () => h("code", null, element.value),
  }[element.type];
  return styled(draw ? draw() : h("span", null, element.text ?? ""), element.style);
}

/** A rich_text block's elements. */
function richText(elements) {
  return (elements ?? []).map((part) => {
    if (part.type === "rich_text_list") {
      const items = part.elements.map((item) => h("li", null, (item.elements ?? []).map(richLeaf)));
      return h(
        part.style === "ordered" ? "ol" : "ul",
        { class: `indent-${Math.min(part.indent ?? 0, 5)}`, start: part.offset ? part.offset + 1 : null },
        items,
      );
    }
    const leaves = (part.elements ?? []).map(richLeaf);
    if (part.type === "rich_text_preformatted") return h("pre", null, h("code", null, leaves));
    return h(part.type === "rich_text_quote" ? "blockquote" : "div", null, leaves);
  });
}



// ────────────────────
// What floats above the page: menus, lists of options, and "are you sure".

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

function closePopup() {
  open?.close();
}

function popupIsOpen() {
  return open !== null;
}

/** Closes a menu whose anchor the last refresh took away. */
function tidyPopups() {
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
function openMenu(anchor, items, { label = "Menu", above = false } = {}) {
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
function openList(anchor, { pick, above = false, label = "Choices", onclose, empty = "No matches", first = 0 }) {
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
function ask(confirm) {
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
function trapFocus(event, dialog) {
  if (event.key !== "Tab") return;
  const all = [...dialog.querySelectorAll("button, input, textarea, a[href], [tabindex='0']")].filter(
    (node) => !node.disabled && node.offsetParent !== null,
  );
  const edge = event.shiftKey ? all[0] : all.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all[0])?.focus();
}



// ────────────────────
// Block Kit: blocks and their elements as DOM nodes, and what has been chosen in them.

/*
 A surface is where blocks stand:
 {key, press(action) -> Promise<bool>, options(action) -> Promise<[option]>, changed(), errors: {block_id: text}, people(), channels()}
 action: {action_id, block_id, value?, selected?, query?}
*/
const chosen = new Map(); // "surface|block|action" -> text, option or [option]

const keyOf = (surface, block, element) => `${surface.key}|${block.block_id ?? ""}|${element.action_id ?? ""}`;

function current(surface, block, element) {
  const key = keyOf(surface, block, element);
  if (!chosen.has(key)) chosen.set(key, initial(element, surface));
  return chosen.get(key);
}

function initial(element, surface) {
  if (element.type.startsWith("multi_") || element.type === "checkboxes") {
    return (
      element.initial_options ??
      (element.initial_users ?? element.initial_conversations ?? []).map((id) => knownOption(surface, element, id))
    );
  }
  const id = element.initial_user ?? element.initial_conversation ?? element.initial_channel;
  if (id) return knownOption(surface, element, id);
  return element.initial_option ?? element.initial_value ?? element.initial_date ?? element.initial_time ?? null;
}

function knownOption(surface, element, id) {
  return (
    worldOptions(surface, element).find((option) => option.value === id) ?? {
      value: id,
      text: { type: "plain_text", text: id },
    }
  );
}

const WORLD = {
  users_select: "user",
  multi_users_select: "users",
  conversations_select: "conversation",
  multi_conversations_select: "conversations",
  channels_select: "channel",
  multi_channels_select: "channels",
};

function worldOptions(surface, element) {
  const pairs = element.type.includes("users") ? surface.people() : surface.channels();
  return pairs.map(([value, text]) => ({ value, text: { type: "plain_text", text } }));
}

/** Forgets what was chosen on a surface that is gone. */
function forget(surfaceKey) {
  for (const key of chosen.keys()) if (key.startsWith(`${surfaceKey}|`)) chosen.delete(key);
}

const TEXTS = ["plain_text_input", "number_input", "email_text_input", "url_text_input"];
const isList = (type) => type.startsWith("multi_") || type === "checkboxes";

/** One element's part of view.state.values, as Slack writes it. */
function stateOf(element, value) {
  const type = element.type;
  if (TEXTS.includes(type)) return { type, value: value || null };
  if (type === "datepicker") return { type, selected_date: value };
  if (type === "timepicker") return { type, selected_time: value };
  if (WORLD[type])
    return {
      type,
      [`selected_${WORLD[type]}`]: isList(type) ? value.map((option) => option.value) : (value?.value ?? null),
    };
  return isList(type) ? { type, selected_options: value } : { type, selected_option: value };
}

const STATEFUL = [
  ...TEXTS,
  "datepicker",
  "timepicker",
  "static_select",
  "external_select",
  "multi_static_select",
  "multi_external_select",
  "checkboxes",
  "radio_buttons",
  ...Object.keys(WORLD),
];

function elementsOf(block) {
  return [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])].filter(
    (element) => element && STATEFUL.includes(element.type),
  );
}

/** view.state.values: {block_id: {action_id: state}}. */
function valuesOf(blocks, surface) {
  const values = {};
  for (const block of blocks ?? []) {
    for (const element of elementsOf(block))
      (values[block.block_id] ??= {})[element.action_id] = stateOf(element, current(surface, block, element));
  }
  return values;
}

/** What Slack itself refuses before it sends a view: {block_id: text}. */
function missing(blocks, surface) {
  const errors = {};
  for (const block of blocks ?? []) {
    if (block.type !== "input" || !block.element) continue;
    const value = current(surface, block, block.element);
    const bare = value === null || value.length === 0 || (typeof value === "string" && !value.trim());
    if (bare && !block.optional) errors[block.block_id] = "Please complete this required field.";
    else if (typeof value === "string" && value.length < (block.element.min_length ?? 0))
      errors[block.block_id] = `Please write at least ${block.element.min_length} characters.`;
  }
  return errors;
}

async function press(surface, block, element, more = {}) {
  if (element.confirm && !(await ask(element.confirm))) return false;
  return surface.press({ action_id: element.action_id, block_id: block.block_id, ...more });
}

function put(surface, block, element, value) {
  chosen.set(keyOf(surface, block, element), value);
  surface.changed();
  if (block.type === "input" && !block.dispatch_action) return;
  press(surface, block, element, { selected: stateOf(element, value) });
}

function hooks(surface, block, element) {
  const label =
    block.type === "input"
      ? block.label?.text
      : (element.placeholder?.text ?? element.accessibility_label ?? block.text?.text);
  return {
    "data-action-id": element.action_id,
    "data-block-id": block.block_id,
    "aria-label": label || element.action_id || element.type,
    "aria-invalid": surface.errors?.[block.block_id] ? "true" : null,
    "aria-describedby": surface.errors?.[block.block_id] ? `error-${block.block_id}` : null,
  };
}

function button(surface, block, element) {
  const click = async (event) => {
    const node = event.currentTarget;
    if (node.getAttribute("aria-busy")) return;
    if (element.url) window.open(element.url, "_blank", "noopener,noreferrer");
    node.setAttribute("aria-busy", "true");
    await press(surface, block, element, { value: element.value });
    node.removeAttribute("aria-busy");
  };
  const url = /^https?:/i.test(element.url ?? "https:");
  return h(
    "button",
    {
      class: `button ${["primary", "danger"].includes(element.style) ? element.style : ""}`,
      type: "button",
      disabled: !url,
      "data-action-id": element.action_id,
      "data-block-id": block.block_id,
      "data-value": element.value,
      "aria-label": element.accessibility_label,
      onclick: click,
    },
    plain(element.text?.text ?? element.text ?? ""),
  );
}

function overflow(surface, block, element) {
  const items = element.options.map((option) => ({
    label: plain(option.text.text),
    value: option.value,
    run: () => {
      if (/^https?:/i.test(option.url ?? "")) window.open(option.url, "_blank", "noopener,noreferrer");
      press(surface, block, element, { selected: option });
    },
  }));
  return h(
    "button",
    {
      class: "button overflow",
      type: "button",
      ...hooks(surface, block, element),
      "aria-label": "More actions",
      "aria-haspopup": "menu",
      onclick: (event) => openMenu(event.currentTarget, items),
    },
    "•••",
  );
}

function textBox(surface, block, element) {
  const kind =
    {
      number_input: "number",
      email_text_input: "email",
      url_text_input: "url",
      datepicker: "date",
      timepicker: "time",
    }[element.type] ?? "text";
  const props = {
    class: "field",
    key: `field|${block.block_id}|${element.action_id}`,
    ...hooks(surface, block, element),
    placeholder: element.placeholder?.text,
    maxlength: element.max_length,
    rows: element.multiline ? 4 : null,
    type: element.multiline ? null : kind,
    value: current(surface, block, element) ?? "",
    oninput: (event) => {
      chosen.set(keyOf(surface, block, element), event.target.value);
      if (block.dispatch_action && element.dispatch_action_config?.trigger_actions_on?.includes("on_character_entered"))
        put(surface, block, element, event.target.value);
    },
    onchange: ["date", "time"].includes(kind)
      ? (event) => put(surface, block, element, event.target.value || null)
      : null,
    onkeydown: (event) => {
      if (event.key !== "Enter" || element.multiline || event.isComposing) return;
      event.preventDefault();
      if (block.dispatch_action) put(surface, block, element, event.target.value);
      else surface.submit?.();
    },
  };
  return h(element.multiline ? "textarea" : "input", props);
}

function ticks(surface, block, element) {
  const many = element.type === "checkboxes";
  const name = keyOf(surface, block, element);
  const has = (option) => [current(surface, block, element)].flat().some((one) => one?.value === option.value);
  const toggle = (option) => (event) => {
    const rest = many ? current(surface, block, element).filter((one) => one.value !== option.value) : [];
    put(surface, block, element, many ? (event.target.checked ? [...rest, option] : rest) : option);
  };
  const { "aria-label": label, ...rest } = hooks(surface, block, element);
  return h(
    "div",
    { class: "ticks", role: many ? "group" : "radiogroup", "aria-label": label, ...rest },
    element.options.map((option) =>
      h(
        "label",
        { class: "tick", key: option.value },
        h("input", {
          type: many ? "checkbox" : "radio",
          name,
          checked: has(option),
          "data-value": option.value,
          onchange: toggle(option),
        }),
        h(
          "span",
          null,
          textObject(option.text),
          option.description && h("small", null, textObject(option.description)),
        ),
      ),
    ),
  );
}

/** A select of any kind: a text box that filters, and a list below it. */
function select(surface, block, element) {
  const many = isList(element.type);
  const value = current(surface, block, element);
  const box = h("input", {
    class: "field combo-box",
    role: "combobox",
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    "aria-expanded": "false",
    "aria-haspopup": "listbox",
    "aria-autocomplete": "list",
    ...hooks(surface, block, element),
    key: `combo|${element.action_id}|${JSON.stringify(element.initial_option ?? null)}`,
    placeholder:
      many && value.length
        ? ""
        : (element.placeholder?.text ?? (element.type.includes("external") ? "Search…" : "Choose…")),
    value: many ? "" : (value?.text?.text ?? ""),
  });
  Object.assign(box, comboHandlers(surface, block, element, many));
  const chips = many
    ? value.map((option) =>
        h(
          "span",
          { class: "chip", key: option.value },
          plain(option.text.text),
          h(
            "button",
            {
              type: "button",
              "aria-label": `Remove ${option.text.text}`,
              onclick: () =>
                put(
                  surface,
                  block,
                  element,
                  value.filter((one) => one.value !== option.value),
                ),
            },
            "×",
          ),
        ),
      )
    : [];
  return h(
    "div",
    { class: many ? "combo many" : "combo", key: `select|${block.block_id}|${element.action_id}` },
    chips,
    box,
  );
}

function comboHandlers(surface, block, element, many) {
  let list = null;
  let asked = 0;
  const shown = () => (many ? "" : (current(surface, block, element)?.text?.text ?? ""));
  const pick = (box) => (choice) => {
    const before = current(surface, block, element);
    const without = many ? before.filter((one) => one.value !== choice.option.value) : null;
    const next = many ? (without.length < before.length ? without : [...before, choice.option]) : choice.option;
    if (!many) list?.close();
    put(surface, block, element, next);
    box.value = shown();
    if (list?.isOpen()) refresh(box);
  };
  const refresh = async (box, typed = false) => {
    const query = typed ? box.value : "";
    const turn = ++asked;
    const found = await offered(surface, block, element, query);
    if (turn === asked && list?.isOpen()) list.set(choices(found, [current(surface, block, element)].flat()));
  };
  const show = (box) => {
    if (box.handle?.list.isOpen()) return;
    list = openList(box, {
      pick: pick(box),
      label: box.getAttribute("aria-label"),
      onclose: () => {
        box.value = shown();
      },
    });
    box.handle = { list, refresh };
    list.set([{ heading: "Loading…" }]);
    box.select();
    refresh(box);
  };
  return {
    onclick: (event) => show(event.currentTarget),
    oninput: (event) => {
      show(event.currentTarget);
      event.currentTarget.handle?.refresh(event.currentTarget, true);
    },
    onkeydown: (event) => {
      const box = event.currentTarget;
      const opened = box.handle?.list;
      if (opened?.isOpen()) {
        opened.key(event);
      } else if (["ArrowDown", "Enter", " "].includes(event.key)) {
        event.preventDefault();
        show(box);
      }
    },
    onblur: (event) => event.currentTarget.handle?.list.close(),
  };
}

async function offered(surface, block, element, query) {
  if (element.type.includes("external")) {
    const least = element.min_query_length ?? 3;
    if (query.length < least)
      return [{ heading: least === 1 ? "Type to search" : `Type at least ${least} characters` }];
    return surface.options({ action_id: element.action_id, block_id: block.block_id, query });
  }
  const all = WORLD[element.type] ? worldOptions(surface, element) : (element.option_groups ?? element.options ?? []);
  const fits = (option) => option.text.text.toLowerCase().includes(query.trim().toLowerCase());
  return all
    .map((one) => (one.options ? { ...one, options: one.options.filter(fits) } : one))
    .filter((one) => (one.options ? one.options.length : fits(one)));
}

function choices(found, picked) {
  const row = (option) => ({
    option,
    value: option.value,
    label: plain(option.text.text),
    detail: option.description && plain(option.description.text),
    chosen: picked.some((one) => one?.value === option.value),
  });
  return found.flatMap((one) =>
    one.heading ? one : one.options ? [{ heading: one.label?.text ?? "" }, ...one.options.map(row)] : row(one),
  );
}

function feedback(surface, block, element) {
  return [element.positive_button, element.negative_button]
    .filter(Boolean)
    .map((one) =>
      h(
        "button",
        {
          class: "button",
          type: "button",
          "data-action-id": element.action_id,
          "data-value": one.value,
          onclick: () => press(surface, block, element, { selected: one.value }),
        },
        plain(one.text.text),
      ),
    );
}

function element(surface, block, spec) {
  if (!spec) return null;
  if (spec.type === "button" || spec.type === "workflow_button") return button(surface, block, spec);
  if (spec.type === "icon_button") return button(surface, block, spec);
  if (spec.type === "feedback_buttons") return feedback(surface, block, spec);
  if (spec.type === "overflow") return overflow(surface, block, spec);
  if (spec.type === "image") return picture(spec);
  if (spec.type === "checkboxes" || spec.type === "radio_buttons") return ticks(surface, block, spec);
  if ([...TEXTS, "datepicker", "timepicker"].includes(spec.type)) return textBox(surface, block, spec);
  if (spec.type.endsWith("_select")) return select(surface, block, spec);
  return unknown(spec.type);
}

const unknown = (type) => h("span", { class: "quiet" }, `[${type}]`);
const picture = (spec) =>
  h("span", { class: "picture", role: "img", "aria-label": spec.alt_text ?? "image" }, spec.alt_text ?? "image");

function input(surface, block) {
  const error = surface.errors?.[block.block_id];
  return h(
    "div",
    { class: error ? "input wrong" : "input" },
    h(
      "div",
      { class: "label" },
      plain(block.label?.text),
      block.optional && h("span", { class: "quiet" }, " (optional)"),
    ),
    element(surface, block, block.element),
    error &&
      h("div", { class: "error", role: "alert", id: `error-${block.block_id}`, "data-testid": "field-error" }, error),
    block.hint && h("div", { class: "hint" }, textObject(block.hint)),
  );
}

function section(surface, block) {
  return h(
    "div",
    { class: "section" },
    h(
      "div",
      { class: "section-text" },
      block.text && textObject(block.text),
      block.fields &&
        h(
          "div",
          { class: "fields" },
          block.fields.map((field) => h("div", null, textObject(field))),
        ),
    ),
    block.accessory && h("div", { class: "accessory" }, element(surface, block, block.accessory)),
  );
}

function tableBlock(block) {
  const cell = (one) => (one?.type === "rich_text" ? richText(one.elements) : plain(one?.text ?? ""));
  const [head, ...rows] = block.rows ?? [];
  return h(
    "div",
    { class: "table" },
    h(
      "table",
      null,
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          (head ?? []).map((one) => h("th", null, cell(one))),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map((row) =>
          h(
            "tr",
            null,
            row.map((one) => h("td", null, cell(one))),
          ),
        ),
      ),
    ),
  );
}

const MARKS = { pending: "○", in_progress: "◐", complete: "✓", completed: "✓", error: "!" };

function task(one) {
  const status = one.status ?? "pending";
  return h(
    "div",
    { class: `step ${status}` },
    h("span", { class: "step-mark", role: "img", "aria-label": status }, MARKS[status] ?? "○"),
    h(
      "div",
      null,
      h("div", null, plain(one.title)),
      [one.details, one.output]
        .filter(Boolean)
        .map((part) => h("div", { class: "quiet" }, typeof part === "string" ? mrkdwn(part) : richText(part.elements))),
    ),
  );
}

const BLOCKS = {
  section,
  input,
  header: (_, block) => h("div", { class: "header", role: "heading", "aria-level": "3" }, plain(block.text?.text)),
  context: (surface, block) =>
    h(
      "div",
      { class: "context" },
      block.elements.map((one) => (one.type === "image" ? picture(one) : h("span", null, textObject(one)))),
    ),
  divider: () => h("hr"),
  actions: (surface, block) =>
    h(
      "div",
      { class: "actions" },
      block.elements.map((one) => element(surface, block, one)),
    ),
  context_actions: (surface, block) =>
    h(
      "div",
      { class: "actions" },
      block.elements.map((one) => element(surface, block, one)),
    ),
  markdown: (_, block) => h("div", { class: "markdown" }, markdown(block.text)),
  rich_text: (_, block) => h("div", { class: "rich" }, richText(block.elements)),
  image: (_, block) =>
    h("div", null, block.title && h("div", { class: "quiet" }, textObject(block.title)), picture(block)),
  table: (_, block) => tableBlock(block),
  task_card: (_, block) => task(block),
  plan: (_, block) =>
    h(
      "div",
      { class: "plan" },
      h("strong", null, plain(block.title?.text ?? block.title)),
      (block.tasks ?? []).map(task),
    ),
};

/** Blocks of a message or a view. */
function blocksView(blocks, surface) {
  return (blocks ?? []).map((block, index) => {
    const draw = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : null;
    const node = draw ? draw(surface, block) : unknown(block.type);
    node.key = `block|${block.block_id ?? index}`;
    return node;
  });
}



// ────────────────────
// What this Slack looks like to the person in front of it, and how to act in it.

/** state: the last answer of /local/state, messages and replies in maps. ui: what only this page knows. */
const world = { state: null, online: true };
const ui = {
  user: null,
  channel: null,
  thread: null,
  tab: "messages",
  editing: null,
  jump: null,
  notices: {},
  errors: {},
  busy: new Set(),
  touched: {},
  read: {},
  drafts: {},
  dismissed: new Set(),
};

let changed = () => {};
function onChange(callback) {
  changed = callback;
}
function render() {
  changed();
}

/** Does one act of the person's; never throws: {ok, result?, error?}. */
async function act(name, args = {}) {
  try {
    const answer = await fetch("/local/act", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: ui.user, act: name, ...args }),
    });
    const said = await answer.json();
    return said.error?.startsWith("not an act") ? { ok: false, error: "This Slack cannot do that." } : said;
  } catch {
    return { ok: false, error: "Slack cannot be reached. Is the demo still running?" };
  }
}

/** Like act, and says by the composer of `where` ("channel", "thread" or a view's id) what went wrong. */
async function tell(where, name, args = {}) {
  const answer = await act(name, args);
  ui.notices[where] = answer.ok ? null : (answer.error ?? "Something went wrong.");
  render();
  return answer;
}

async function json(path, query) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function load() {
  const user = ui.user;
  const state = await json("/local/state", user ? { user } : {});
  if (user !== ui.user) return;
  world.state = lists(state);
  ui.user = world.state.me.id;
  world.online = true;
}

/** Follows the revision number for ever; calls after(): a refresh. */
async function follow() {
  let revision = -1;
  for (;;) {
    try {
      const answer = await json("/local/changes", { user: ui.user ?? "", after: revision });
      if (answer.revision !== revision) {
        revision = answer.revision;
        await load();
        render();
      }
      await pause(40);
    } catch {
      world.online = false;
      render();
      revision = -1;
      await pause(1000);
    }
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function lists(state) {
  const channels = new Map();
  const replies = new Map();
  for (const [channel, all] of Object.entries(state.messages)) {
    const sorted = all.map((one) => ({ ...one, channel })).sort((one, other) => (one.ts < other.ts ? -1 : 1));
    channels.set(channel, sorted);
    for (const [ts, inThread] of Map.groupBy(sorted.filter(isReply), (one) => one.thread_ts))
      replies.set(`${channel}|${ts}`, inThread);
  }
  return {
    ...state,
    messages: channels,
    replies,
    me: state.users.find((user) => user.id === state.me) ?? { id: state.me, name: "Nobody" },
    statuses: [...(state.sessions ?? []), ...(state.statuses ?? [])],
    hints: state.hints ?? [],
  };
}

const bot = () => ({ id: world.state.app.bot_user_id, name: world.state.app.name });
const people = () => world.state.users.filter((user) => user.id !== bot().id && !user.is_bot);

function userName(id) {
  if (id === bot().id) return bot().name;
  const user = world.state.users.find((one) => one.id === id);
  return user ? user.real_name || user.name : null;
}

function channelOf(id) {
  return world.state.channels.find((channel) => channel.id === id);
}

function isBotDm(channel) {
  return Boolean(channel?.im && channel.bot !== false);
}

function channelTitle(channel) {
  return isBotDm(channel) ? bot().name : channel.name;
}

const rootOf = (message) => message.thread_ts ?? message.ts;
const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
const authorOf = (message) => message.user ?? message.bot_id ?? "";

const messagesIn = (channel) => world.state.messages.get(channel) ?? [];
const repliesTo = (channel, root) => world.state.replies.get(`${channel}|${root}`) ?? [];
const privateIn = (channel, thread) =>
  world.state.ephemerals.filter(
    (message) =>
      message.channel === channel &&
      (thread === undefined ? true : (message.thread_ts ?? null) === thread) &&
      !ui.dismissed.has(message.ts),
  );

/** Goes to a channel, a thread in it, or a message; keeps the address of the page in step. */
function go({ user = ui.user, channel = ui.channel, thread = null, tab = "messages", jump = null }) {
  Object.assign(ui, { user, channel, thread, tab, jump, editing: null });
  const query = new URLSearchParams({
    user,
    ...(channel && { channel }),
    ...(thread && { thread }),
    ...(tab === "home" && { tab }),
  });
  history.replaceState(null, "", `?${query}`);
  seen();
  render();
}

/** What stands in the open channel counts as read. */
function seen() {
  const newest = ui.channel && messagesIn(ui.channel).at(-1)?.ts;
  if (newest && !document.hidden) ui.read[`${ui.user}|${ui.channel}`] = newest;
}

function hasNews(channel) {
  const read = ui.read[`${ui.user}|${channel.id}`] ?? ui.read.from;
  return messagesIn(channel.id).some(
    (message) => message.ts > read && authorOf(message) !== ui.user && !message.subtype?.startsWith("channel_"),
  );
}

names.user = userName;
names.me = () => ui.user;
names.channel = (id) => {
  const channel = channelOf(id);
  return channel ? channelTitle(channel) : null;
};
names.open = (channel, ts, thread) => {
  const message = ts && messagesIn(channel).find((one) => one.ts === ts);
  const root =
    thread ??
    (message && isReply(message) ? message.thread_ts : null) ??
    (ts && repliesTo(channel, ts).length ? ts : null);
  go({ channel, thread: root, jump: ts ?? null });
};



// ────────────────────
// The box to write in: commands after "/", people after "@", shortcuts under the bolt.

const draftKey = (where) => `${ui.user}|${ui.channel}|${where === "thread" ? ui.thread : ""}`;

/** Typed text with <@U…> for names; entities and addresses are Slack's own work. */
function written(text) {
  let out = text;
  for (const user of everybody()) out = out.replaceAll(mentionOf(user.name), `<@${user.id}>`);
  return out;
}

/** The other way round, for editing. */
function typed(text) {
  const named = text.replace(/<@(\w+)(?:\|[^>]*)?>/g, (whole, id) => {
    const user = everybody().find((one) => one.id === id);
    return user ? `@${user.name}` : whole;
  });
  return unescape(named.replace(/<(https?:[^|>]+)(?:\|[^>]*)?>/g, "$1"));
}

const mentionOf = (name) => new RegExp(`(?<![\\w<])@${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w])`, "gi");

function everybody() {
  const all = [bot(), ...people().map((user) => ({ id: user.id, name: userName(user.id) }))];
  return all.sort((one, other) => other.name.length - one.name.length);
}

async function send(where, box) {
  const text = box.value.trimEnd();
  if (!text.trim()) return;
  const place = { channel: ui.channel, ...(where === "thread" && { thread_ts: ui.thread }) };
  setText(where, box, "");
  ui.jump = where === "thread" ? "end-thread" : "end-channel";
  const answer = await tell(where, ...asAct(text, place));
  if (!answer.ok && !box.value) setText(where, box, text);
  if (
    answer.ok &&
    where === "channel" &&
    world.state.app.agent &&
    isBotDm(channelOf(place.channel)) &&
    ui.channel === place.channel
  )
    openAgentThread(answer.result);
}

/** In an agent's direct message each question is a thread of its own, shown at once. */
function openAgentThread(ts) {
  if (typeof ts !== "string") return;
  go({ thread: ts });
  document.querySelector('[data-testid="thread-composer"]')?.focus();
}

/** ["say" | "command" | …, arguments]: what begins with "/" is a command, as in Slack. */
function asAct(text, place) {
  const invited = text.match(/^\/(invite|remove|kick)\s+(.+)$/i);
  if (invited)
    return [
      invited[1].toLowerCase() === "invite" ? "invite" : "remove",
      { channel: place.channel, member: whoIs(invited[2].trim()) },
    ];
  const command = text.match(/^(\/\S+)\s*([\s\S]*)$/);
  if (!command) return ["say", { ...place, text: written(text) }];
  const declared = world.state.commands.find((one) => one.command === command[1]);
  return [
    "command",
    { ...place, text: `${command[1]} ${declared?.should_escape ? written(command[2]) : command[2]}`.trim() },
  ];
}

function whoIs(name) {
  const bare = name.replace(/^@/, "").toLowerCase();
  return everybody().find((user) => user.name.toLowerCase() === bare)?.id ?? name;
}

function setText(where, box, text) {
  box.value = text;
  ui.drafts[draftKey(where)] = text;
  grow(box);
}

/** Puts a text into the channel's composer, ready to send. */
function prefill(text) {
  const box = document.querySelector('[data-testid="composer"]');
  if (!box) return;
  setText("channel", box, text);
  render();
  box.focus();
}

function grow(box) {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 260)}px`;
}

function suggest(where, box) {
  const before = box.value.slice(0, box.selectionStart);
  const command = before.match(/^\/\S*$/);
  const mention = before.match(/(?:^|[\s(])@([^\s@]*(?: [^\s@]*)?)$/);
  const found = command ? commandChoices(before, where) : mention ? personChoices(mention[1].toLowerCase()) : [];
  if (!found.length) {
    box.list?.close();
    return;
  }
  if (!box.list?.isOpen()) {
    box.list = openList(box, {
      above: true,
      label: command ? "Commands" : "People",
      first: 0,
      pick: (choice) => complete(where, box, choice),
    });
  }
  box.list.set(found);
}

function commandChoices(prefix, where) {
  const rows = world.state.commands
    .filter((one) => one.command.startsWith(prefix.toLowerCase()))
    .map((one) => ({
      value: one.command,
      insert: `${one.command} `,
      from: 0,
      before: h("strong", null, one.command),
      label: [" ", h("span", { class: "quiet" }, one.usage_hint ?? "")],
      detail: one.description,
    }));
  if (!rows.length) return [];
  const heading =
    where === "thread"
      ? `${bot().name} · Slack takes commands in channels only; in a thread write @${bot().name} …`
      : bot().name;
  return [{ heading }, ...rows];
}

function personChoices(prefix) {
  return everybody()
    .filter(
      (user) =>
        user.name
          .toLowerCase()
          .split(" ")
          .some((part) => part.startsWith(prefix)) || user.name.toLowerCase().startsWith(prefix),
    )
    .sort((one, other) => (one.id === bot().id ? -1 : other.id === bot().id ? 1 : one.name.localeCompare(other.name)))
    .map((user) => ({
      value: user.id,
      insert: `@${user.name} `,
      from: prefix.length + 1,
      label: user.name,
      detail: user.id === bot().id ? "app" : user.id === ui.user ? "you" : "",
    }));
}

function complete(where, box, choice) {
  const caret = box.selectionStart;
  const start = choice.from === 0 ? 0 : caret - choice.from;
  const text = box.value.slice(0, start) + choice.insert + box.value.slice(caret).replace(/^ /, "");
  box.list?.close();
  setText(where, box, text);
  box.setSelectionRange(start + choice.insert.length, start + choice.insert.length);
  box.focus();
  render();
}

function boxKeys(where, event) {
  const box = event.currentTarget;
  if (event.isComposing) return;
  const whole = box.list?.isOpen() && box.list.current()?.value === box.value;
  if (event.key === "Enter" && whole) box.list.close();
  if (box.list?.isOpen() && box.list.key(event)) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    send(where, box);
  } else if (event.key === "Escape" && ui.notices[where]) {
    event.stopPropagation();
    ui.notices[where] = null;
    render();
  }
}

function usage(text) {
  const command = text.match(/^(\/\S+)\s/)?.[1];
  return world.state.commands.find((one) => one.command === command);
}

function notice(where) {
  if (!ui.notices[where]) return null;
  const drop = () => {
    ui.notices[where] = null;
    render();
  };
  return h(
    "div",
    { class: "notice", role: "alert", key: `notice-${where}`, "data-testid": "notice" },
    h("span", null, ui.notices[where]),
    h("button", { class: "bare", type: "button", "aria-label": "Dismiss", onclick: drop }, icon("close")),
  );
}

function shortcutMenu(event) {
  const items = world.state.global_shortcuts.map((one) => ({
    label: one.name,
    detail: one.description,
    value: one.callback_id,
    testid: `shortcut-${one.callback_id}`,
    run: () => tell("channel", "global_shortcut", { callback_id: one.callback_id }),
  }));
  openMenu(event.currentTarget, [{ heading: `Shortcuts of ${bot().name}` }, ...items], {
    label: "Shortcuts",
    above: true,
  });
}

/** The composer of the channel or of the open thread. */
function composer(where) {
  const channel = channelOf(ui.channel);
  const thread = where === "thread";
  const label = thread ? "Reply to thread" : `Message ${channel.im ? "" : "#"}${channelTitle(channel)}`;
  const box = h("textarea", {
    key: `box|${draftKey(where)}`,
    rows: 1,
    placeholder: thread ? "Reply…" : label,
    "aria-label": label,
    "data-testid": thread ? "thread-composer" : "composer",
    value: ui.drafts[draftKey(where)] ?? "",
    onkeydown: (event) => boxKeys(where, event),
    oninput: (event) => {
      ui.drafts[draftKey(where)] = event.target.value;
      ui.notices[where] = null;
      grow(event.target);
      suggest(where, event.target);
      render();
    },
    onblur: (event) => event.target.list?.close(),
  });
  const insert = (text) => (event) => {
    const live = event.currentTarget.closest(".composer").querySelector("textarea");
    live.focus();
    live.setRangeText(
      live.value && !/\s$/.test(live.value.slice(0, live.selectionStart)) ? ` ${text}` : text,
      live.selectionStart,
      live.selectionEnd,
      "end",
    );
    live.dispatchEvent(new Event("input"));
  };
  const draft = ui.drafts[draftKey(where)] ?? "";
  const hint = usage(draft);
  return h(
    "div",
    { class: "composer-wrap", key: `composer-${where}` },
    notice(where),
    h(
      "div",
      { class: "composer" },
      box,
      h(
        "div",
        { class: "tools" },
        !thread &&
          world.state.global_shortcuts.length > 0 &&
          h(
            "button",
            {
              class: "bare",
              type: "button",
              "aria-label": "Shortcuts",
              title: "Shortcuts",
              "aria-haspopup": "menu",
              "data-testid": "shortcuts",
              onclick: shortcutMenu,
              key: "bolt",
            },
            icon("bolt"),
          ),
        h(
          "button",
          {
            class: "bare",
            type: "button",
            "aria-label": "Mention someone",
            title: "Mention someone",
            onclick: insert("@"),
            key: "at",
          },
          icon("at"),
        ),
        !thread &&
          world.state.commands.length > 0 &&
          h(
            "button",
            {
              class: "bare slash",
              type: "button",
              "aria-label": "Commands",
              title: "Commands",
              onclick: insert("/"),
              key: "slash",
            },
            "/",
          ),
        h(
          "span",
          { class: "usage", key: "usage", "data-testid": "usage" },
          hint && [
            h("strong", null, hint.command),
            " ",
            hint.usage_hint ?? "",
            hint.description && ` — ${hint.description}`,
          ],
        ),
        h(
          "button",
          {
            class: draft.trim() ? "send ready" : "send",
            type: "button",
            "aria-label": "Send",
            "data-testid": thread ? "thread-send" : "send",
            key: "send",
            onclick: (event) => send(where, event.currentTarget.closest(".composer").querySelector("textarea")),
          },
          icon("send"),
        ),
      ),
    ),
  );
}

/** A message being edited, in its place. */
function editor(message) {
  const done = () => {
    ui.editing = null;
    render();
  };
  const save = async (box) => {
    const text = box.value.trim();
    if (!text) return;
    const answer = await act("edit", { channel: message.channel, ts: message.ts, text: written(text) });
    if (answer.ok) done();
    else {
      ui.notices.edit = answer.error;
      render();
    }
  };
  const boxOf = (event) => event.currentTarget.closest(".editor").querySelector("textarea");
  return h(
    "div",
    { class: "editor", key: "editor" },
    h("textarea", {
      key: `edit|${message.ts}`,
      rows: 2,
      "aria-label": "Edit message",
      "data-testid": "edit-box",
      value: typed(message.text ?? ""),
      onkeydown: (event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          done();
        } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          save(event.currentTarget);
        }
      },
    }),
    ui.notices.edit && h("div", { class: "error", role: "alert" }, ui.notices.edit),
    h(
      "div",
      { class: "actions" },
      h("button", { class: "button", type: "button", onclick: done }, "Cancel"),
      h(
        "button",
        { class: "button primary", type: "button", "data-testid": "edit-save", onclick: (event) => save(boxOf(event)) },
        "Save",
      ),
    ),
  );
}



// ────────────────────
// Messages: in a channel, in a thread, and those only one person sees.

const timeOf = (ts) => new Date(Number(ts) * 1000);

/** The name a message is signed with. */
function signature(message) {
  if (message.username) return message.username;
  if (message.bot_id && !message.user) return bot().name;
  return userName(message.user) ?? message.user ?? "Someone";
}

const isBots = (message) => Boolean(message.bot_id) || message.user === bot().id;

function avatar(name, isApp, size = "") {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const node = h(
    "span",
    { class: `avatar ${size} ${isApp ? "app" : ""}`, "aria-hidden": "true" },
    isApp ? "✦" : (name.match(/\p{L}|\d/u)?.[0] ?? "?").toUpperCase(),
  );
  if (!isApp) node.style.setProperty("--hue", hue);
  return node;
}

/** How a message's buttons and selects act; also used by ephemerals. */
function messageSurface(message, where) {
  const at = { channel: message.channel, ts: message.ts };
  return {
    key: `${where}:${message.channel}:${message.ts}`,
    press: async (action) => (await tell(where, "click", { ...at, ...action })).ok,
    options: (action) => optionsOf({ ...at, ...action }),
    changed: () => {
      ui.touched[message.ts] = (ui.touched[message.ts] ?? 0) + 1;
      render();
    },
    people: () => people().map((user) => [user.id, userName(user.id)]),
    channels: () => world.state.channels.filter((one) => !one.im).map((one) => [one.id, `#${one.name}`]),
  };
}

async function optionsOf(action) {
  const answer = await act("options", action);
  return answer.ok ? answer.result : [{ heading: answer.error }];
}

function content(message, where) {
  if (ui.editing?.ts === message.ts && ui.editing.where === where) return editor(message);
  const written = !isBots(message) && message.blocks?.every((block) => block.type === "rich_text");
  const blocks =
    message.blocks?.length && !written
      ? blocksView(message.blocks, messageSurface(message, where))
      : h("div", { class: "text" }, mrkdwn(message.text ?? ""));
  const edited = message.edited && !isBots(message) ? h("span", { class: "edited" }, "(edited)") : null;
  return [
    h("div", { class: "blocks", key: "blocks" }, blocks, edited),
    attachments(message, where),
    files(message),
    reactions(message),
  ];
}

function attachments(message, where) {
  return (message.attachments ?? []).map((one, index) =>
    h(
      "div",
      { class: "attachment", key: `attachment-${index}` },
      one.title && h("strong", null, one.title),
      one.blocks?.length
        ? blocksView(one.blocks, messageSurface(message, where))
        : mrkdwn(one.text ?? one.fallback ?? ""),
    ),
  );
}

function files(message) {
  if (!message.files?.length) return null;
  return h(
    "div",
    { class: "files", key: "files" },
    message.files.map((file) => {
      const local = [file.url_private, file.permalink].find(
        (url) => url && new URL(url, location.href).origin === location.origin,
      );
      const name = file.title || file.name || file.id;
      return h(
        local ? "a" : "span",
        { class: "file", href: local, target: local && "_blank", rel: local && "noopener" },
        "📄 ",
        name,
      );
    }),
  );
}

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h(
    "div",
    { class: "reactions", key: "reactions" },
    message.reactions.map((one) =>
      h(
        "span",
        { class: "reaction", title: (one.users ?? []).map(userName).join(", ") },
        emoji(one.name),
        " ",
        one.count ?? one.users?.length ?? 1,
      ),
    ),
  );
}

function openThread(ts) {
  go({ thread: ts });
  document.querySelector('[data-testid="thread-composer"]')?.focus();
}

function threadRow(message) {
  const replies = repliesTo(message.channel, message.ts);
  const forMe = privateIn(message.channel, message.ts);
  if (!replies.length && !forMe.length) return null;
  const faces = [...new Map(replies.map((reply) => [signature(reply), isBots(reply)]))].slice(0, 4);
  const label = replies.length ? `${replies.length} ${replies.length === 1 ? "reply" : "replies"}` : "Open thread";
  const last = replies.at(-1);
  return h(
    "button",
    {
      class: "thread-row",
      type: "button",
      key: "thread-row",
      "data-testid": "replies",
      onclick: () => openThread(message.ts),
    },
    faces.map(([name, isApp]) => avatar(name, isApp, "small")),
    h("span", { class: "replies" }, label),
    last && h("span", { class: "quiet" }, `${dayName(timeOf(last.ts))} at ${clock(timeOf(last.ts))}`),
    forMe.length > 0 &&
      h(
        "span",
        { class: "for-you" },
        icon("eye"),
        forMe.length === 1 ? "1 only for you" : `${forMe.length} only for you`,
      ),
  );
}

function menuItems(message, where) {
  const place = { channel: message.channel, ts: message.ts };
  const mine = message.user === ui.user;
  const shortcuts = world.state.message_shortcuts.map((one) => ({
    label: one.name,
    detail: one.description,
    value: one.callback_id,
    testid: `shortcut-${one.callback_id}`,
    run: () => tell(where, "message_shortcut", { callback_id: one.callback_id, ...place }),
  }));
  const remove = async () => {
    if (
      await ask({
        title: "Delete message",
        text: "This cannot be undone.",
        confirm: "Delete",
        deny: "Cancel",
        style: "danger",
      })
    )
      tell(where, "delete", place);
  };
  const edit = () => {
    ui.editing = { ts: message.ts, where };
    ui.notices.edit = null;
    render();
    document.querySelector('[data-testid="edit-box"]')?.focus();
  };
  return [
    ...(where === "channel"
      ? [{ label: "Reply in thread", testid: "reply-in-thread", run: () => openThread(rootOf(message)) }]
      : []),
    ...(shortcuts.length ? ["-", { heading: bot().name }, ...shortcuts] : []),
    ...(mine
      ? [
          "-",
          { label: "Edit message", testid: "edit", run: edit },
          { label: "Delete message", testid: "delete", danger: true, run: remove },
        ]
      : []),
  ];
}

function hover(message, where) {
  return h(
    "div",
    { class: "hover", key: "hover" },
    where === "channel" &&
      h(
        "button",
        {
          class: "bare",
          type: "button",
          "aria-label": "Reply in thread",
          title: "Reply in thread",
          "data-testid": "reply",
          onclick: () => openThread(rootOf(message)),
        },
        icon("reply"),
      ),
    h(
      "button",
      {
        class: "bare",
        type: "button",
        "aria-label": "More actions",
        title: "More actions",
        "aria-haspopup": "menu",
        "data-testid": "message-menu",
        onclick: (event) => openMenu(event.currentTarget, menuItems(message, where), { label: "Message actions" }),
      },
      icon("dots"),
    ),
  );
}

function onlyYou(message) {
  const dismiss = () => {
    ui.dismissed.add(message.ts);
    sessionStorage.setItem("dismissed", JSON.stringify([...ui.dismissed]));
    render();
  };
  return h(
    "div",
    { class: "only-you", key: "only-you" },
    icon("eye"),
    "Only visible to you",
    h("button", { class: "link", type: "button", onclick: dismiss }, "Dismiss"),
  );
}

const QUIET = {
  channel_join: "joined the channel",
  channel_leave: "left the channel",
  group_join: "joined the channel",
  group_leave: "left the channel",
};

function messageView(message, where, joined, key) {
  const name = signature(message);
  if (message.subtype === "tombstone")
    return h(
      "div",
      { class: "message tombstone", key, "data-ts": message.ts },
      h("span", { class: "avatar gone" }),
      h(
        "div",
        { class: "body" },
        h("span", { class: "quiet" }, "This message was deleted."),
        where === "channel" && threadRow(message),
      ),
    );
  const at = h(
    "time",
    { class: "time", datetime: timeOf(message.ts).toISOString(), title: timeOf(message.ts).toLocaleString() },
    clock(timeOf(message.ts)),
  );
  const head = h(
    "div",
    { class: "by", key: "by" },
    h("strong", null, name),
    isBots(message) && h("span", { class: "badge" }, "APP"),
    userTag(message),
    at,
  );
  const what =
    QUIET[message.subtype] && !message.blocks
      ? h("div", { class: "quiet" }, QUIET[message.subtype])
      : content(message, where);
  const classes = ["message", joined && "joined", message.ephemeral && "private", ui.jump === message.ts && "found"]
    .filter(Boolean)
    .join(" ");
  return h(
    "article",
    { class: classes, key, "data-ts": message.ts, "aria-label": `${name}, ${clock(timeOf(message.ts))}` },
    joined
      ? h("span", { class: "gutter", key: "face" }, at)
      : h("span", { class: "gutter", key: "face" }, avatar(name, isBots(message))),
    h(
      "div",
      { class: "body", key: "body" },
      message.ephemeral && onlyYou(message),
      !joined && head,
      isReply(message) &&
        where === "channel" &&
        h(
          "button",
          { class: "link replied", type: "button", key: "replied", onclick: () => openThread(message.thread_ts) },
          "replied to a thread",
        ),
      what,
      where === "channel" && !isReply(message) && !message.ephemeral && threadRow(message),
    ),
    !message.ephemeral && hover(message, where),
  );
}

function userTag(message) {
  const user = world.state.users.find((one) => one.id === message.user);
  if (!user) return null;
  if (user.is_restricted) return h("span", { class: "badge" }, "GUEST");
  return user.is_stranger ? h("span", { class: "badge" }, "EXTERNAL") : null;
}

const drawn = new Map(); // a message's key -> what its live node was drawn from
const around = { state: null, text: "", version: 0 }; // names and menus that stand in every message

/** Before everything is drawn: which messages have a live node, and whether names or menus have changed. */
function noteLive(app) {
  const live = new Set([...app.querySelectorAll("[data-ts]")].map((node) => node.key));
  for (const key of drawn.keys()) if (!live.has(key)) drawn.delete(key);
  if (around.state === world.state) return;
  around.state = world.state;
  const text = JSON.stringify([world.state.users, world.state.channels, world.state.message_shortcuts]);
  if (text !== around.text) around.version += 1;
  around.text = text;
}

/** A message's node, or a stand-in for the live one when nothing in it has changed. */
function memo(message, where, joined) {
  const key = `message|${where}|${message.channel}|${message.ts}`;
  const replies = where === "channel" ? repliesTo(message.channel, message.ts).map((one) => [one.ts, one.user]) : [];
  const forMe = where === "channel" ? privateIn(message.channel, message.ts).length : 0;
  const own = [
    ui.touched[message.ts],
    ui.jump === message.ts,
    ui.editing?.ts === message.ts && [ui.editing, ui.notices.edit],
  ];
  const sources = JSON.stringify([
    message,
    joined,
    replies,
    forMe,
    own,
    ui.user,
    new Date().toDateString(),
    around.version,
  ]);
  if (drawn.get(key) === sources) return keep(key);
  drawn.set(key, sources);
  return messageView(message, where, joined, key);
}

/** Messages in order, with days between them. */
function run(messages, where) {
  const out = [];
  let before = null;
  for (const message of messages) {
    const today = timeOf(message.ts).toDateString();
    if (!before || timeOf(before.ts).toDateString() !== today) {
      out.push(
        h(
          "div",
          { class: "day", key: `day|${where}|${today}`, role: "separator" },
          h("span", null, dayName(timeOf(message.ts))),
        ),
      );
      before = null;
    }
    const joined =
      before !== null &&
      authorOf(before) === authorOf(message) &&
      !before.ephemeral &&
      !message.ephemeral &&
      !before.subtype &&
      !message.subtype &&
      before.username === message.username &&
      message.ts - before.ts < 300 &&
      !(where === "channel" && repliesTo(message.channel, before.ts).length);
    out.push(memo(message, where, joined));
    before = message;
  }
  return out;
}

const byTs = (one, other) => (one.ts < other.ts ? -1 : 1);
const asPrivate = (message) => ({ user: bot().id, ...message, ephemeral: true });

/** What stands in the channel itself: roots, what was also sent to the channel, what is only for this person, and stones for deleted roots. */
function channelMessages(channel) {
  const all = messagesIn(channel);
  const shown = all.filter((message) => !isReply(message) || message.subtype === "thread_broadcast");
  const roots = new Set(shown.map((message) => message.ts));
  const gone = new Set(
    all.filter((message) => isReply(message) && !roots.has(message.thread_ts)).map((message) => message.thread_ts),
  );
  const stones = [...gone].map((ts) => ({ channel, ts, subtype: "tombstone" }));
  const mine = privateIn(channel, null).map(asPrivate);
  return run([...shown, ...stones, ...mine].sort(byTs), "channel");
}

function threadMessages(channel, root) {
  const first = messagesIn(channel).find((message) => message.ts === root) ?? {
    channel,
    ts: root,
    subtype: "tombstone",
  };
  const rest = [...repliesTo(channel, root), ...privateIn(channel, root).map(asPrivate)].sort(byTs);
  const count = repliesTo(channel, root).length;
  const line = h(
    "div",
    { class: "count", key: "count" },
    count ? `${count} ${count === 1 ? "reply" : "replies"}` : "No replies yet",
  );
  return [memo(first, "thread", false), line, run(rest, "thread").filter((node) => !(node.className === "day"))];
}

function statusRow() {
  const status = world.state.statuses.find(
    (one) =>
      one.channel === ui.channel &&
      one.thread_ts === ui.thread &&
      one.status &&
      !["active", "closed"].includes(one.status),
  );
  if (!status) return null;
  const text = ["processing", "suspended"].includes(status.status)
    ? { processing: "is working…", suspended: "is waiting for you" }[status.status]
    : status.status;
  return h(
    "div",
    { class: "status", role: "status", key: "status", "data-testid": "status" },
    status.status !== "suspended" && h("span", { class: "pulse", "aria-hidden": "true" }),
    h("span", null, `${bot().name} ${text}`),
    status.status === "processing" &&
      h(
        "button",
        {
          class: "button tiny",
          type: "button",
          "data-testid": "stop-agent",
          onclick: () => tell("thread", "stop_agent", { channel: ui.channel, thread_ts: ui.thread }),
        },
        icon("stop"),
        "Stop",
      ),
  );
}

function titleOf(channel) {
  return world.state.statuses.find((one) => one.channel === channel.id && one.thread_ts === ui.thread)?.title || null;
}

/** The thread pane. */
function threadPane(compose) {
  const channel = channelOf(ui.channel);
  const name = channelTitle(channel);
  return h(
    "aside",
    { class: "thread", key: "thread", "data-testid": "thread", "aria-label": "Thread", "data-where": "thread" },
    h(
      "header",
      { class: "bar" },
      h("h2", null, "Thread"),
      h("span", { class: "quiet name" }, titleOf(channel) ?? (channel.im ? name : `#${name}`)),
      h("span", { class: "fill" }),
      h(
        "button",
        {
          class: "bare",
          type: "button",
          "aria-label": "Close thread",
          "data-testid": "close-thread",
          onclick: () => go({}),
        },
        icon("close"),
      ),
    ),
    h(
      "div",
      {
        class: "log",
        role: "log",
        "aria-label": "Thread messages",
        key: `log|${ui.channel}|${ui.thread}`,
        tabindex: "0",
        "data-log": "thread",
      },
      threadMessages(ui.channel, ui.thread),
    ),
    statusRow(),
    compose,
  );
}



// ────────────────────
// Modals and the App Home: views an app opens.

function viewSurface(view) {
  const surface = {
    key: view.id,
    errors: ui.errors[view.id] ?? {},
    press: async (action) => {
      await handOver(view, surface, action.action_id);
      return (await tell(view.id, "click_view", { view_id: view.id, ...action })).ok;
    },
    options: (action) => optionsOf({ view_id: view.id, ...action }),
    changed: render,
    submit: () => submit(view),
    people: () => people().map((user) => [user.id, userName(user.id)]),
    channels: () => world.state.channels.filter((one) => !one.im).map((one) => [one.id, `#${one.name}`]),
  };
  return surface;
}

/** Tells Slack what stands in the other inputs, so that the app finds it in view.state when something is pressed. */
async function handOver(view, surface, pressed) {
  const values = valuesOf(view.blocks, surface);
  for (const block of view.blocks) {
    const action_id = block.element?.action_id;
    if (block.type !== "input" || block.dispatch_action || action_id === pressed) continue;
    const selected = values[block.block_id]?.[action_id];
    if (!selected || JSON.stringify(selected) === JSON.stringify(view.state?.values?.[block.block_id]?.[action_id]))
      continue;
    await act("click_view", { view_id: view.id, action_id, block_id: block.block_id, selected });
  }
}

async function submit(view) {
  if (ui.busy.has(view.id) || !view.submit) return;
  const surface = viewSurface(view);
  ui.errors[view.id] = missing(view.blocks, surface);
  if (Object.keys(ui.errors[view.id]).length) return showErrors(view);
  ui.busy.add(view.id);
  render();
  const answer = await act("submit", { view_id: view.id, values: valuesOf(view.blocks, surface) });
  ui.busy.delete(view.id);
  ui.notices[view.id] = answer.ok ? null : answer.error;
  if (answer.result?.response_action === "errors") ui.errors[view.id] = answer.result.errors;
  showErrors(view);
}

function showErrors(view) {
  render();
  const wrong = Object.keys(ui.errors[view.id] ?? {})[0];
  if (wrong)
    document.querySelector(`[data-view="${CSS.escape(view.id)}"] [data-block-id="${CSS.escape(wrong)}"]`)?.focus();
}

function leave(view) {
  act("close", { view_id: view.id });
}

function modal(view, isTop) {
  const close = () => leave(view);
  const busy = ui.busy.has(view.id);
  const keys = (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
    trapFocus(event, event.currentTarget);
  };
  return h(
    "div",
    { class: isTop ? "veil" : "veil under", key: `modal|${view.id}`, onkeydown: keys, hidden: !isTop },
    h(
      "div",
      {
        class: "modal",
        role: "dialog",
        "aria-modal": "true",
        "aria-labelledby": `title-${view.id}`,
        "data-testid": isTop ? "modal" : null,
        "data-view": view.id,
        "data-callback-id": view.callback_id,
      },
      h(
        "header",
        { class: "modal-head" },
        appFace(),
        h("h2", { id: `title-${view.id}` }, plain(view.title?.text)),
        h("span", { class: "fill" }),
        h(
          "button",
          { class: "bare", type: "button", "aria-label": "Close", "data-testid": "modal-x", onclick: close },
          icon("close"),
        ),
      ),
      h(
        "div",
        { class: "modal-body", key: "body", tabindex: "-1" },
        notice(view.id),
        blocksView(view.blocks, viewSurface(view)),
      ),
      h(
        "footer",
        { class: "modal-foot", key: "foot" },
        h(
          "button",
          { class: "button", type: "button", "data-testid": "modal-close", onclick: close },
          plain(view.close?.text ?? "Close"),
        ),
        view.submit &&
          h(
            "button",
            {
              class: "button primary",
              type: "button",
              "data-testid": "modal-submit",
              "aria-busy": busy ? "true" : null,
              disabled: busy,
              onclick: () => submit(view),
            },
            plain(view.submit.text),
          ),
      ),
    ),
  );
}

const appFace = () => h("span", { class: "avatar app tiny", "aria-hidden": "true" }, "✦");

/** The stack of modals; only the top one is seen, what was typed below stays. */
function modals() {
  return world.state.views.map((view, index, all) => modal(view, index === all.length - 1));
}

let shownViews = new Set();
let focusBefore = null;

/** After a refresh: puts the focus into a modal that has just opened, and back when the last one closed. */
function focusModals() {
  const now = new Set(world.state.views.map((view) => view.id));
  for (const id of shownViews) if (!now.has(id)) forgetView(id);
  const fresh = [...now].some((id) => !shownViews.has(id));
  if (fresh && !shownViews.size) focusBefore = document.activeElement;
  if (fresh || (now.size && now.size < shownViews.size)) {
    const body = document.querySelector('[data-testid="modal"] .modal-body');
    const first = body?.querySelector("input:not([role=combobox]), textarea") ?? body;
    (first ?? body)?.focus({ preventScroll: true });
  }
  if (!now.size && shownViews.size) focusBefore?.focus?.();
  shownViews = now;
}

function forgetView(id) {
  forget(id);
  delete ui.errors[id];
  delete ui.notices[id];
}

/** The app's home tab. */
function homeView() {
  const view = world.state.home;
  if (!view?.blocks)
    return h(
      "div",
      { class: "home empty", key: "home" },
      h("p", { class: "quiet" }, `${bot().name} has not published its home yet.`),
    );
  return h(
    "div",
    { class: "home", key: `home|${ui.user}`, "data-testid": "home", "data-view": view.id },
    notice(view.id),
    blocksView(view.blocks, viewSurface(view)),
  );
}



// ────────────────────
// The page: sidebar, channel, thread, modals; drawn again at every change and laid over the live tree.

const app = document.getElementById("app");

function personMenu(event) {
  const items = people().map((user) => {
    const name = userName(user.id);
    return {
      label: name,
      detail: user.is_restricted ? "guest" : user.is_stranger ? "another company" : "",
      before: avatar(name, false, "small"),
      current: user.id === ui.user,
      testid: `person-${name}`,
      value: user.id,
      run: () => become(user.id),
    };
  });
  openMenu(event.currentTarget, [{ heading: "Be someone else" }, ...items], { label: "People" });
}

async function become(user) {
  ui.user = user;
  ui.notices = {};
  await load();
  const stays = ui.channel && channelOf(ui.channel);
  go(stays ? { user, thread: ui.thread, tab: ui.tab } : { user, channel: firstChannel()?.id });
}

const firstChannel = () =>
  world.state.channels.find((one) => one.member && !one.im) ?? world.state.channels.find((one) => one.member);

function row(channel) {
  const current = channel.id === ui.channel;
  const classes = ["row", current && "current", !channel.member && "outside", hasNews(channel) && !current && "news"]
    .filter(Boolean)
    .join(" ");
  const title = channelTitle(channel);
  const sign = channel.im ? avatar(title, isBotDm(channel), "small") : icon(channel.private ? "lock" : "hash");
  return h(
    "button",
    {
      class: classes,
      type: "button",
      key: channel.id,
      "data-testid": `channel-${title}`,
      "data-channel": channel.id,
      title: channel.member ? null : "You are not in this channel",
      "aria-current": current ? "page" : null,
      onclick: () => visit({ channel: channel.id }),
    },
    sign,
    h("span", { class: "name" }, title),
    channel.shared && h("span", { class: "badge" }, "SHARED"),
  );
}

async function visit(place) {
  go(place);
  const channel = channelOf(place.channel);
  if (isBotDm(channel)) act("home_opened", { tab: place.tab ?? "messages" });
  document.querySelector('[data-testid="composer"]')?.focus();
}

async function openBot() {
  const existing = world.state.channels.find(isBotDm);
  if (existing) return visit({ channel: existing.id, tab: hasHome() ? "home" : "messages" });
  const answer = await act("open_dm");
  if (!answer.ok) return undefined;
  await load();
  return visit({ channel: answer.result, tab: hasHome() ? "home" : "messages" });
}

const hasHome = () => world.state.app.home_tab;

function sidebar() {
  const channels = world.state.channels;
  const me = userName(ui.user) ?? "nobody";
  const botDm = channels.find(isBotDm);
  const rows = channels
    .filter((one) => !one.im)
    .sort((one, other) => Number(other.member) - Number(one.member) || one.name.localeCompare(other.name));
  const section = (title, inner) => h("section", null, h("h2", null, title), inner);
  return h(
    "nav",
    { class: "sidebar", "aria-label": "Channels", key: "sidebar" },
    h(
      "div",
      { class: "workspace" },
      h("strong", null, world.state.team?.name ?? "Local Slack"),
      h("span", { class: "quiet" }, "on this machine alone"),
    ),
    h(
      "button",
      {
        class: "me",
        type: "button",
        "aria-haspopup": "menu",
        "data-testid": "person-switch",
        onclick: personMenu,
        key: "me",
      },
      avatar(me, false),
      h("span", null, "You are: ", h("strong", null, me)),
      icon("down"),
    ),
    h(
      "div",
      { class: "rows" },
      section("Channels", rows.map(row)),
      section("Direct messages", channels.filter((one) => one.im && !isBotDm(one)).map(row)),
      section(
        "Apps",
        h(
          "button",
          {
            class: [
              "row",
              botDm && botDm.id === ui.channel && "current",
              botDm && hasNews(botDm) && botDm.id !== ui.channel && "news",
            ]
              .filter(Boolean)
              .join(" "),
            type: "button",
            "data-testid": `channel-${bot().name}`,
            onclick: openBot,
          },
          avatar(bot().name, true, "small"),
          h("span", { class: "name" }, bot().name),
          h("span", { class: "badge" }, "APP"),
        ),
      ),
    ),
  );
}

function bar(channel) {
  const tabs = [
    ["home", "Home"],
    ["messages", "Messages"],
  ];
  return h(
    "header",
    { class: "bar", key: "bar" },
    channel.im ? avatar(channelTitle(channel), isBotDm(channel), "small") : icon(channel.private ? "lock" : "hash"),
    h("h1", null, channelTitle(channel)),
    channel.shared && h("span", { class: "badge" }, "SHARED WITH ANOTHER COMPANY"),
    isBotDm(channel) &&
      hasHome() &&
      h(
        "div",
        { class: "tabs", role: "tablist" },
        tabs.map(([tab, label]) =>
          h(
            "button",
            {
              type: "button",
              role: "tab",
              "aria-selected": String(ui.tab === tab),
              "data-testid": `tab-${tab}`,
              onclick: () => visit({ channel: channel.id, tab }),
            },
            label,
          ),
        ),
      ),
  );
}

const hintKey = () => `hints:${world.state.hints.join("|")}`;

function hints() {
  if (!world.state.hints.length || localStorage.getItem(hintKey())) return null;
  const drop = () => {
    localStorage.setItem(hintKey(), "seen");
    render();
  };
  const rows = world.state.hints.map((hint) => {
    const nodes = mrkdwn(hint);
    for (const code of nodes.flatMap((node) => [...node.querySelectorAll("code")])) {
      const text = code.textContent;
      code.replaceWith(
        h(
          "button",
          { class: "try", type: "button", title: "Put this into the message box", onclick: () => prefill(text) },
          text,
        ),
      );
    }
    return h("li", null, nodes);
  });
  return h(
    "div",
    { class: "hints", key: "hints", role: "note", "data-testid": "hints" },
    h(
      "div",
      { class: "hints-head" },
      h("strong", null, "Try this"),
      h(
        "button",
        { class: "bare", type: "button", "aria-label": "Dismiss hints", "data-testid": "dismiss-hints", onclick: drop },
        icon("close"),
      ),
    ),
    h("ol", null, rows),
  );
}

function beginning(channel) {
  const text = channel.im
    ? `This is the start of your messages with ${channelTitle(channel)}.`
    : `This is the very beginning of #${channelTitle(channel)}.`;
  return h("div", { class: "beginning", key: "beginning" }, h("p", null, text));
}

function channelPane() {
  const channel = channelOf(ui.channel);
  if (!channel)
    return h(
      "main",
      { class: "channel", key: "nowhere" },
      h(
        "div",
        { class: "beginning" },
        h("p", null, "You are not a member of this channel. Choose another one at the left."),
      ),
    );
  if (isBotDm(channel) && ui.tab === "home")
    return h("main", { class: "channel", key: `pane|${channel.id}|home` }, bar(channel), homeView());
  return h(
    "main",
    { class: "channel", key: `pane|${channel.id}`, "data-where": "channel" },
    bar(channel),
    h(
      "div",
      {
        class: "log",
        role: "log",
        "aria-label": `Messages in ${channelTitle(channel)}`,
        key: `log|${ui.user}|${channel.id}`,
        tabindex: "0",
        "data-log": "channel",
      },
      h("div", { class: "log-fill" }),
      beginning(channel),
      channelMessages(channel.id),
    ),
    hints(),
    channel.member === false ? outside(channel) : composer("channel"),
  );
}

function outside(channel) {
  return h(
    "div",
    { class: "composer-wrap", key: "outside" },
    notice("channel"),
    h(
      "div",
      { class: "outside-note" },
      h("span", null, `You are not in #${channel.name}.`),
      h(
        "button",
        {
          class: "button",
          type: "button",
          "data-testid": "join",
          onclick: () => tell("channel", "join", { channel: channel.id }),
        },
        "Join channel",
      ),
    ),
  );
}

const atEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 60;

/** Draws everything again; logs that stood at their end stay there. */
function draw() {
  if (!world.state) return;
  const stuck = new Map([...app.querySelectorAll(".log")].map((log) => [log.key, atEnd(log)]));
  noteLive(app);
  const open = ui.thread && channelOf(ui.channel);
  const shade = world.state.views.length > 0;
  morph(
    app,
    h(
      "div",
      { id: "app", class: open ? "with-thread" : "", "aria-busy": "false" },
      h(
        "div",
        { class: "frame", key: "frame", inert: shade },
        sidebar(),
        channelPane(),
        open && threadPane(composer("thread")),
      ),
      !world.online &&
        h("div", { class: "offline", role: "alert", key: "offline" }, "The connection is gone. Trying again…"),
      modals(),
    ),
  );
  document.title = `${channelOf(ui.channel) ? channelTitle(channelOf(ui.channel)) : "Slack"} – ${bot().name}`;
  scroll(stuck);
  seen();
  tidyPopups();
  focusModals();
}

function scroll(stuck) {
  for (const log of app.querySelectorAll(".log")) {
    if (stuck.get(log.key) !== false || ui.jump === `end-${log.dataset.log}`) log.scrollTop = log.scrollHeight;
  }
  if (!ui.jump) return;
  const target =
    app.querySelector(`.thread [data-ts="${CSS.escape(ui.jump)}"]`) ??
    app.querySelector(`[data-ts="${CSS.escape(ui.jump)}"]`);
  if (target && ui.shown !== ui.jump) target.scrollIntoView({ block: "center" });
  ui.shown = ui.jump;
}

function pageKeys(event) {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (popupIsOpen()) closePopup();
  else if (ui.thread && !world.state.views.length && event.target.closest?.(".thread")) go({});
}

async function start() {
  const query = new URLSearchParams(location.search);
  ui.user = query.get("user");
  ui.dismissed = new Set(JSON.parse(sessionStorage.getItem("dismissed") ?? "[]"));
  onChange(draw);
  document.addEventListener("keydown", pageKeys);
  await load();
  ui.read.from =
    [...world.state.messages.values()]
      .flatMap((all) => all.at(-1)?.ts ?? [])
      .sort()
      .at(-1) ?? "0";
  const wanted = query.get("channel");
  const channel =
    world.state.channels.find((one) => one.id === wanted || (one.name === wanted && !one.im)) ?? firstChannel();
  const permalink = location.hash.match(/^#([CDG]\w+)\/p(\d+)(\d{6})$/);
  if (permalink && channelOf(permalink[1])) names.open(permalink[1], `${permalink[2]}.${permalink[3]}`, null);
  else go({ channel: channel?.id, thread: query.get("thread"), tab: query.get("tab") ?? "messages" });
  document.querySelector('[data-testid="composer"]')?.focus();
  follow();
}

start();

