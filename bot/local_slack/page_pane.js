// The side pane of a Work Object: what the app answered to whoever opened it, or that it has not yet.
import { h, icon } from "./page_dom.js";
import { act, world } from "./page_world.js";

const shown = (field, isTime) => (isTime ? new Date(field.value * 1000).toLocaleString() : String(field.value));

function facts(payload) {
  const fixed = Object.entries(payload.fields ?? {}).map(([name, field]) => [
    field.label ?? name.replace(/_/g, " "),
    shown(field, name.startsWith("date_")),
  ]);
  const own = (payload.custom_fields ?? []).map((field) => [field.label, shown(field, false)]);
  return [...fixed, ...own].map(([label, value], index) =>
    h("div", { class: "fact", key: `fact-${index}` }, h("dt", null, label), h("dd", { class: "plain" }, value)),
  );
}

function body({ details, error }) {
  if (error) return h("div", { role: "alert" }, h("strong", null, error.custom_title), h("p", null, error.custom_message));
  if (!details) return h("p", { class: "quiet" }, "Loading…");
  return h("dl", null, facts(details.entity_payload));
}

/** The pane that this person has open, if any. */
export function entityPane() {
  const pane = world.state.pane;
  if (!pane) return null;
  const { title, display_id } = (pane.details ?? pane.card).entity_payload.attributes;
  return h(
    "aside",
    { class: "entity-pane", key: `pane|${pane.card.external_ref.id}`, "data-testid": "entity-pane", "aria-label": display_id },
    h(
      "header",
      { class: "modal-head" },
      h("h2", null, title.text),
      h("span", { class: "fill" }),
      h(
        "button",
        {
          class: "bare",
          type: "button",
          "aria-label": "Close",
          "data-testid": "entity-close",
          onclick: () => act("close_entity", {}),
        },
        icon("close"),
      ),
    ),
    h("div", { class: "modal-body", key: "body" }, display_id && h("p", { class: "quiet" }, display_id), body(pane)),
  );
}
