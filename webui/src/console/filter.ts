// A long table that the server does not search has a field of its own that
// hides the rows that do not fit. What is looked for stays when a live update
// replaces the table, by the table's caption.

import { h } from "../element";
import { fits } from "./filter_text";
import { t } from "./lang";

// from is how many rows are too many to read at a glance.
const from = 8;

const looked = new Map<string, string>();
let typing = ""; // name of the table whose field has the focus

export function startFilters(root: ParentNode): void {
  for (const table of root.querySelectorAll<HTMLTableElement>("main table, #machine table")) {
    const rows = [...(table.tBodies[0]?.rows ?? [])];
    const name = table.caption?.textContent?.trim() ?? "";
    if (rows.length < from || name === "" || table.dataset["filtered"] !== undefined || table.closest("#list, .chart, .chart-table, [role=region]")) continue;
    table.dataset["filtered"] = "";
    const none = h("p", { class: "hint", role: "status" });
    const filter = () => {
      looked.set(name, field.value);
      let left = 0;
      for (const row of rows) {
        row.hidden = !fits(row.innerText || row.textContent || "", field.value);
        if (!row.hidden) left++;
      }
      none.textContent = field.value.trim() === "" ? "" : left === 0 ? t("palette.none") : t("palette.count", { n: left });
    };
    const blurred = () => setTimeout(() => { if (field.isConnected) typing = ""; }); // a field that is taken away tells of it while it is still there
    const field = h("input", { type: "search", class: "filter", "aria-label": t("filter") + ": " + name, placeholder: t("filter"), value: looked.get(name) ?? "", oninput: filter,
      onfocus: () => { typing = name; }, onblur: blurred });
    table.before(h("p", { class: "row" }, field, none));
    if (field.value) filter();
    if (typing === name && document.activeElement === document.body) field.focus();
  }
}
