// Slack's mrkdwn, Markdown and rich_text, as DOM nodes.
import { h, add } from "./page_dom.js";

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
export const names = { user: (id) => id, channel: (id) => id, me: () => "", open: () => {} };

export function unescape(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);
}

export function emoji(name) {
  return EMOJI[name.split("::")[0]] ?? `:${name}:`;
}

/** A link to an http(s) or mail address; a permalink of this Slack opens in place. Anything else stays text. */
export function link(url, label) {
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

export function clock(at) {
  return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

export function dayName(at) {
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
export function mrkdwn(text) {
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
export function markdown(text) {
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
export function textObject(object) {
  if (!object) return [];
  if (typeof object === "string") return [plain(object)];
  return object.type === "mrkdwn" ? mrkdwn(object.text) : [plain(object.text)];
}

/** Plain text: only emoji names are drawn, and only line breaks break lines. */
export function plain(text) {
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
export function richText(elements) {
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
