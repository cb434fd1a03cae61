// Modals and the App Home: views an app opens.
import { h, icon } from "./page_dom.js";
import { blocksView, forget, missing, valuesOf } from "./page_blocks.js";
import { plain } from "./page_text.js";
import { trapFocus } from "./page_popups.js";
import { act, bot, people, render, tell, ui, userName, world } from "./page_world.js";
import { notice } from "./page_composer.js";
import { optionsOf } from "./page_messages.js";

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
export function modals() {
  return world.state.views.map((view, index, all) => modal(view, index === all.length - 1));
}

let shownViews = new Set();
let focusBefore = null;

/** After a refresh: puts the focus into a modal that has just opened, and back when the last one closed. */
export function focusModals() {
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
export function homeView() {
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
