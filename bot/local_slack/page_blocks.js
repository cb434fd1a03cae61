// Block Kit: blocks and their elements as DOM nodes, and what has been chosen in them.
import { h } from "./page_dom.js";
import { markdown, mrkdwn, plain, richText, textObject } from "./page_text.js";
import { ask, openList, openMenu } from "./page_popups.js";

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
export function forget(surfaceKey) {
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
export function valuesOf(blocks, surface) {
  const values = {};
  for (const block of blocks ?? []) {
    for (const element of elementsOf(block))
      (values[block.block_id] ??= {})[element.action_id] = stateOf(element, current(surface, block, element));
  }
  return values;
}

/** What Slack itself refuses before it sends a view: {block_id: text}. */
export function missing(blocks, surface) {
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
export function blocksView(blocks, surface) {
  return (blocks ?? []).map((block, index) => {
    const draw = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : null;
    const node = draw ? draw(surface, block) : unknown(block.type);
    node.key = `block|${block.block_id ?? index}`;
    return node;
  });
}
