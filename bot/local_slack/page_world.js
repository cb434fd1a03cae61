// What this Slack looks like to the person in front of it, and how to act in it.
import { names } from "./page_text.js";

/** state: the last answer of /local/state, messages and replies in maps. ui: what only this page knows. */
export const world = { state: null, online: true };
export const ui = {
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
export function onChange(callback) {
  changed = callback;
}
export function render() {
  changed();
}

/** Does one act of the person's; never throws: {ok, result?, error?}. */
export async function act(name, args = {}) {
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
export async function tell(where, name, args = {}) {
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

export async function load() {
  const user = ui.user;
  const state = await json("/local/state", user ? { user } : {});
  if (user !== ui.user) return;
  world.state = lists(state);
  ui.user = world.state.me.id;
  world.online = true;
}

/** Follows the revision number for ever; calls after(): a refresh. */
export async function follow() {
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

export const bot = () => ({ id: world.state.app.bot_user_id, name: world.state.app.name });
export const people = () => world.state.users.filter((user) => user.id !== bot().id && !user.is_bot);

export function userName(id) {
  if (id === bot().id) return bot().name;
  const user = world.state.users.find((one) => one.id === id);
  return user ? user.real_name || user.name : null;
}

export function channelOf(id) {
  return world.state.channels.find((channel) => channel.id === id);
}

export function isBotDm(channel) {
  return Boolean(channel?.im && channel.bot !== false);
}

export function channelTitle(channel) {
  return isBotDm(channel) ? bot().name : channel.name;
}

export const rootOf = (message) => message.thread_ts ?? message.ts;
export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
export const authorOf = (message) => message.user ?? message.bot_id ?? "";

export const messagesIn = (channel) => world.state.messages.get(channel) ?? [];
export const repliesTo = (channel, root) => world.state.replies.get(`${channel}|${root}`) ?? [];
export const privateIn = (channel, thread) =>
  world.state.ephemerals.filter(
    (message) =>
      message.channel === channel &&
      (thread === undefined ? true : (message.thread_ts ?? null) === thread) &&
      !ui.dismissed.has(message.ts),
  );

/** Goes to a channel, a thread in it, or a message; keeps the address of the page in step. */
export function go({ user = ui.user, channel = ui.channel, thread = null, tab = "messages", jump = null }) {
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
export function seen() {
  const newest = ui.channel && messagesIn(ui.channel).at(-1)?.ts;
  if (newest && !document.hidden) ui.read[`${ui.user}|${ui.channel}`] = newest;
}

export function hasNews(channel) {
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
