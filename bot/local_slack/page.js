// The page: sidebar, channel, thread, modals; drawn again at every change and laid over the live tree.
import { h, icon, morph } from "./page_dom.js";
import { mrkdwn, names } from "./page_text.js";
import { closePopup, openMenu, popupIsOpen, tidyPopups } from "./page_popups.js";
import { avatar, channelMessages, noteLive, threadPane } from "./page_messages.js";
import { composer, notice, prefill } from "./page_composer.js";
import { focusModals, homeView, modals } from "./page_modals.js";
import { entityPane } from "./page_pane.js";
import {
  act,
  bot,
  channelOf,
  channelTitle,
  follow,
  go,
  hasNews,
  isBotDm,
  load,
  onChange,
  people,
  render,
  seen,
  tell,
  ui,
  userName,
  world,
} from "./page_world.js";

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
      entityPane(),
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
