// Writing a notice: its words, whom it asks, until when, and reminders.

import { limits, type ID, type NoticeSend, type Room } from "./api";
import { dialog, field, fillWith, h, toast } from "./dom";
import type { Frame } from "./frame";
import { explain, t } from "./lang";
import { roomName } from "./names";
import { localTime, ordered } from "./notice_text";
import { uuid7 } from "./outbox";
import { Picker } from "./people";
import { mayWrite, moderates, roomOrder } from "./state";
import type { Key } from "./words";

const draftShelf = "posthouse.notice.draft";

// mayNotify says whether the caller may send notices to a room.
export function mayNotify(r: Room): boolean {
  if (r.kind === "notes" || mayWrite(r) !== "yes") return false;
  return r.kind === "group" || r.kind === "direct" || moderates(r);
}

function check(label: string, on: boolean, change: (on: boolean) => void, depth = 0): HTMLLabelElement {
  const box: HTMLInputElement = h("input", { type: "checkbox", checked: on, onchange: () => change(box.checked) });
  return h("label", { class: "choice depth" + Math.min(depth, 5) }, box, h("span", null, label));
}

function group(legend: string, ...inside: (HTMLElement | null)[]): HTMLFieldSetElement {
  return h("fieldset", { class: "audience" }, h("legend", null, legend), ...inside);
}

function roomChoices(f: Frame, first: ID, chosen: Set<ID>): HTMLElement {
  const s = f.client.store.state;
  const rooms = roomOrder(s).map((r) => r.room).filter(mayNotify).sort((a, b) => Number(b.id === first) - Number(a.id === first));
  if (!rooms.length) return h("p", { class: "hint" }, t("notices.compose.norooms"));
  const list = h("div", { class: "choices" });
  const filter = h("input", { type: "search", placeholder: t("notices.compose.filter"), "aria-label": t("notices.compose.filter"), oninput: () => show() });
  const show = () => {
    const q = filter.value.trim().toLowerCase();
    const fits = rooms.filter((r) => chosen.has(r.id) || !q || roomName(s, r).toLowerCase().includes(q)).slice(0, 100);
    fillWith(list, ...fits.map((r) => check(roomName(s, r), chosen.has(r.id), (on) => void (on ? chosen.add(r.id) : chosen.delete(r.id)))));
  };
  show();
  return h("div", { class: "pane" }, rooms.length > 6 ? filter : null, list);
}

function departmentChoices(f: Frame, chosen: Set<ID>): HTMLElement {
  const list = h("div", { class: "choices" });
  f.client.call("department.list", {}).then((r) => {
    fillWith(list, ...ordered(r.departments).map(({ d, depth }) => check(d.name, false, (on) => void (on ? chosen.add(d.id) : chosen.delete(d.id)), depth)),
      r.departments.length ? null : h("p", { class: "hint" }, t("none")));
  }, (e) => fillWith(list, h("p", { class: "error" }, explain(e))));
  return list;
}

interface Saved { title: string; text: string }

function saved(): Saved {
  try {
    return { title: "", text: "", ...(JSON.parse(localStorage.getItem(draftShelf) ?? "{}") as Partial<Saved>) };
  } catch {
    return { title: "", text: "" };
  }
}

function save(d: Saved | null): void {
  try {
    if (d && (d.title || d.text)) localStorage.setItem(draftShelf, JSON.stringify(d));
    else localStorage.removeItem(draftShelf);
  } catch {
    // Full or forbidden: the draft lives as long as the dialog.
  }
}

// compose opens the dialog, with a room chosen when one is given.
export function compose(f: Frame, room: ID): void {
  const d = dialog(t("notices.compose"), true);
  const client = f.client;
  const me = client.store.state.me!;
  const manages = me.role === "owner" || me.role === "admin";
  const shown = client.store.state.rooms.get(room)?.room;
  const rooms = new Set<ID>(shown && mayNotify(shown) ? [room] : []);
  const departments = new Set<ID>();
  let everyone = false;
  const draft = saved();
  const keep = (): void => save({ title: title.value, text: text.value });
  const title: HTMLInputElement = h("input", { type: "text", name: "title", maxlength: limits.MaxName, value: draft.title, oninput: keep });
  const text: HTMLTextAreaElement = h("textarea", { name: "text", rows: 5, value: draft.text, oninput: keep });
  const picker = new Picker(client, true, new Set([me.id]), undefined, false);
  const deadline = h("input", { type: "datetime-local", min: localTime(Date.now()) });
  const every = h("select", null, ...["never", "15", "60", "240", "1440"].map((v) => h("option", { value: v }, t(("notices.remind." + v) as Key))));
  const most = h("input", { type: "number", min: 1, max: limits.MaxReminders, value: 10 });
  const mostField = field(t("notices.compose.most"), most);
  mostField.hidden = true;
  every.addEventListener("change", () => (mostField.hidden = every.value === "never"));
  const key = uuid7(Date.now(), (n) => crypto.getRandomValues(new Uint8Array(n)));
  const error = h("p", { class: "error", role: "alert" });
  const send = async () => {
    const p: NoticeSend = { key, title: title.value.trim(), text: text.value.trim() || undefined, rooms: [...rooms], users: [...picker.chosen.keys()] };
    if (everyone) p.everyone = true;
    if (departments.size) p.departments = [...departments];
    if (deadline.value) p.deadline = new Date(deadline.value).getTime();
    if (every.value !== "never") {
      p.remind_every_ms = Number(every.value) * 60000;
      p.remind_most = Number(most.value) || 10;
    }
    button.disabled = true;
    error.textContent = "";
    try {
      const r = await client.call("notice.send", p);
      save(null);
      d.close();
      toast(t("notices.sent", { n: r.notice.audience }));
      if (!shown || !rooms.has(room)) f.go("notices/" + r.notice.id);
    } catch (e) {
      error.textContent = explain(e);
    }
    button.disabled = false;
  };
  // Not a submit button: Enter in the title, which may end a composition, never
  // sends.
  const button: HTMLButtonElement = h("button", { type: "button", class: "primary", onclick: () => void send() }, t("notices.compose.send"));
  const narrow = group(t("notices.compose.to"), h("p", { class: "hint" }, t("notices.compose.about")),
    manages ? check(t("notices.compose.everyone"), false, (on) => {
      everyone = on;
      rest.hidden = on;
    }) : null);
  const rest = h("div", { class: "pane" }, group(t("notices.compose.rooms"), roomChoices(f, room, rooms)),
    manages ? group(t("notices.compose.departments"), departmentChoices(f, departments)) : null,
    group(t("notices.compose.people"), picker.element));
  narrow.append(rest);
  d.body.append(h("form", { class: "notice-form", onsubmit: (e: Event) => e.preventDefault() }, field(t("notices.compose.title"), title), field(t("notices.compose.text"), text),
    narrow, field(t("notices.compose.deadline"), deadline), field(t("notices.compose.remind"), every), mostField,
    error, h("div", { class: "buttons" }, button)));
  title.focus();
}
