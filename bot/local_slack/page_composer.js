// The box to write in: commands after "/", people after "@", shortcuts under the bolt.
import { h, icon } from "./page_dom.js";
import { unescape } from "./page_text.js";
import { openList, openMenu } from "./page_popups.js";
import {
  act,
  bot,
  channelOf,
  channelTitle,
  go,
  isBotDm,
  people,
  render,
  tell,
  ui,
  userName,
  world,
} from "./page_world.js";

const draftKey = (where) => `${ui.user}|${ui.channel}|${where === "thread" ? ui.thread : ""}`;

/** Typed text with <@U…> for names; entities and addresses are Slack's own work. */
export function written(text) {
  let out = text;
  for (const user of everybody()) out = out.replaceAll(mentionOf(user.name), `<@${user.id}>`);
  return out;
}

/** The other way round, for editing. */
export function typed(text) {
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
  const member = text.match(/^\/(invite|remove)\s+(.+)$/i);
  if (member) return [member[1].toLowerCase(), { channel: place.channel, member: whoIs(member[2].trim()) }];
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

export function setText(where, box, text) {
  box.value = text;
  ui.drafts[draftKey(where)] = text;
  grow(box);
}

/** Puts a text into a message box, ready to send: the open thread's, except for what begins a new one. */
export function prefill(text) {
  const where = ui.thread && !/^[@/]/.test(text) ? "thread" : "channel";
  const box = document.querySelector(`[data-testid="${where === "thread" ? "thread-composer" : "composer"}"]`);
  if (!box) return;
  setText(where, box, text);
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
  const whole = box.list?.isOpen() && box.value.endsWith(box.list.current()?.insert.trimEnd());
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

export function notice(where) {
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
export function composer(where) {
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
export function editor(message) {
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
