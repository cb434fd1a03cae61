// Messages: in a channel, in a thread, and those only one person sees.
import { h, icon, keep } from "./page_dom.js";
import { clock, dayName, emoji, mrkdwn } from "./page_text.js";
import { blocksView } from "./page_blocks.js";
import { ask, openMenu } from "./page_popups.js";
import { editor } from "./page_composer.js";
import {
  act,
  authorOf,
  bot,
  channelOf,
  channelTitle,
  go,
  isReply,
  messagesIn,
  people,
  privateIn,
  render,
  repliesTo,
  rootOf,
  tell,
  ui,
  userName,
  world,
} from "./page_world.js";

const timeOf = (ts) => new Date(Number(ts) * 1000);

/** The name a message is signed with. */
function signature(message) {
  if (message.username) return message.username;
  if (message.bot_id && !message.user) return bot().name;
  return userName(message.user) ?? message.user ?? "Someone";
}

const isBots = (message) => Boolean(message.bot_id) || message.user === bot().id;

export function avatar(name, isApp, size = "") {
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
  const node = h(
    "span",
    { class: `avatar ${size} ${isApp ? "app" : ""}`, "aria-hidden": "true", key: `face|${isApp}|${name}` },
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

export async function optionsOf(action) {
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
    cards(message, where),
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

/** Work Objects: a small card each, that opens the pane. */
function cards(message, where) {
  return (message.metadata?.entities ?? []).map((one) => {
    const { title, display_id, product_name } = one.entity_payload.attributes;
    const open = () =>
      tell(where, "open_entity", { channel: message.channel, ts: message.ts, entity: one.external_ref.id });
    return h(
      "button",
      {
        class: "work-object",
        type: "button",
        key: `entity-${one.external_ref.id}`,
        "data-testid": "work-object",
        onclick: open,
      },
      h("strong", null, title.text),
      h("span", { class: "quiet" }, [display_id, product_name].filter(Boolean).join(" · ")),
    );
  });
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
  const mayDelete = mine || people().some((one) => one.id === ui.user && one.is_admin);
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
    ...(mayDelete ? ["-"] : []),
    ...(mine ? [{ label: "Edit message", testid: "edit", run: edit }] : []),
    ...(mayDelete ? [{ label: "Delete message", testid: "delete", danger: true, run: remove }] : []),
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
export function noteLive(app) {
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
export function channelMessages(channel) {
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
export function threadPane(compose) {
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
