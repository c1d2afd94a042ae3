// The pane of a room's settings: what it is called, whether one can write in it,
// and how much room its files take.

import { limits, type ID, type Room } from "./api";
import { confirm, field, fillWith, h, menuItem, toast } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { explain, full, size, t } from "./lang";
import { leave } from "./members";
import { nameOf } from "./names";
import { moderates } from "./state";
import type { Topic } from "./store";
import type { Key } from "./words";

class SettingsPane implements View {
  readonly title = t("settings.title");
  readonly element: HTMLElement;
  private form = h("div", null);
  private facts = h("dl", { class: "facts" });
  private usage = h("div", { class: "usage" }, h("p", { class: "hint", role: "status" }, t("loading")));
  private ends = h("section", { class: "block", "aria-label": t("settings.end") });
  private drawn = "";

  constructor(private readonly f: Frame, private readonly room: ID) {
    this.element = h("div", { class: "pane-scroll" }, this.form, this.facts,
      h("section", { class: "block", "aria-label": t("settings.storage") }, h("h3", null, t("settings.storage")), this.usage), this.ends);
    this.render();
    void this.measure();
  }

  draw(topics: Set<Topic>): void {
    if (topics.has(`room:${this.room}`) || topics.has("rooms") || topics.has("users")) this.render();
  }

  private async measure(): Promise<void> {
    try {
      const u = await this.f.client.call("file.usage", { subject: this.room });
      const text = u.quota ? t("settings.usage", { files: u.files, used: size(u.bytes), quota: size(u.quota) }) : t("settings.usage.free", { files: u.files, used: size(u.bytes) });
      fillWith(this.usage, u.quota ? h("meter", { min: 0, max: u.quota, value: u.bytes, high: Math.round(u.quota * 0.9), "aria-label": t("settings.storage") }) : null, h("p", null, text));
    } catch (e) {
      fillWith(this.usage, h("p", { class: "error" }, explain(e)));
    }
  }

  private render(): void {
    const s = this.f.client.store.state;
    const r = s.rooms.get(this.room)?.room;
    if (!r) return fillWith(this.form, h("p", null, t("room.gone")));
    const look = JSON.stringify([r.name, r.topic, r.archived, r.my_role, r.created_by && nameOf(s, r.created_by)]);
    // What somebody types is not taken away when the name changes elsewhere.
    if (look === this.drawn) return;
    this.drawn = look;
    if (r.created_by) this.f.client.wantUsers([r.created_by]);
    const plain = r.kind !== "direct" && r.kind !== "notes";
    if (!this.form.contains(document.activeElement)) fillWith(this.form, plain && moderates(r) && !r.archived ? this.names(r) : plain ? this.told(r) : null);
    fillWith(this.facts, h("dt", null, t("settings.kind")), h("dd", null, t(("kind." + r.kind) as Key) + (r.archived ? " · " + t("room.archived") : "")),
      h("dt", null, t("settings.created")), h("dd", null, full(r.created) + (r.created_by ? " · " + nameOf(s, r.created_by) : "")),
      ...(r.my_role && plain ? [h("dt", null, t("settings.role")), h("dd", null, t(("role." + r.my_role) as Key))] : []));
    fillWith(this.ends, ...(plain ? this.endings(r) : []));
    this.ends.hidden = !plain;
  }

  private told(r: Room): HTMLElement {
    return h("div", null, h("h3", null, r.name), r.topic ? h("p", null, r.topic) : null, h("p", { class: "hint" }, t(r.archived && moderates(r) ? "settings.archived" : "settings.readonly")));
  }

  private names(r: Room): HTMLElement {
    const name = h("input", { type: "text", value: r.name, required: true, maxlength: limits.MaxName, name: "name" });
    const topic = h("input", { type: "text", value: r.topic ?? "", maxlength: limits.MaxTopic, name: "topic" });
    const error = h("p", { class: "error", role: "alert" });
    return h("form", { class: "block", onsubmit: async (e: Event) => {
      e.preventDefault();
      error.textContent = "";
      const now = this.f.client.store.state.rooms.get(this.room)?.room ?? r;
      const p: { room: ID; name?: string; topic?: string } = { room: this.room };
      if (name.value.trim() !== now.name) p.name = name.value.trim();
      if (topic.value.trim() !== (now.topic ?? "")) p.topic = topic.value.trim();
      try {
        if (p.name !== undefined || p.topic !== undefined) await this.f.client.call("room.update", p);
        toast(t("profile.saved"));
      } catch (x) {
        error.textContent = explain(x);
      }
    } }, field(t("new.name"), name), field(t("new.topic"), topic), error, h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, t("save"))));
  }

  private endings(r: Room): (HTMLElement | null)[] {
    const { client } = this.f;
    const archive = (on: boolean) => void client.call("room.update", { room: this.room, archived: on }).catch((e) => toast(explain(e), true));
    return [h("h3", null, t("settings.end")),
      moderates(r) ? h("p", { class: "hint" }, t(r.archived ? "settings.restore.about" : "settings.archive.about")) : null,
      h("div", { class: "buttons start" },
        !moderates(r) ? null : r.archived ? h("button", { type: "button", onclick: () => archive(false) }, t("settings.restore"))
          : h("button", { type: "button", class: "danger", onclick: () => confirm(t("settings.archive.title"), t("settings.archive.about"), t("settings.archive"), () => archive(true)) }, t("settings.archive")),
        h("button", { type: "button", class: "danger", onclick: () => leave(client, this.room) }, t("members.leave")))];
  }
}

export const settingsFeature: Feature = {
  panes: { settings: (f, room) => new SettingsPane(f, room) },
  commands: [{ name: "settings.title", when: (f) => f.room !== "", run: (f) => f.pane("settings") }],
  roomMenu: (f) => [menuItem(t("settings.title"), () => f.pane("settings"))],
};
