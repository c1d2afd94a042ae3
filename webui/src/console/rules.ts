// The form of a rule shows what belongs to the kind of bound that is chosen.
// Without script it shows everything.

export function startRules(root: ParentNode): void {
  const kind = root.querySelector<HTMLSelectElement>("select#f-kind");
  const groups = root.querySelectorAll<HTMLElement>("[data-when]");
  if (!kind || groups.length === 0) return;
  const show = () => {
    for (const g of groups) g.hidden = !g.dataset["when"]!.split(" ").includes(kind.value);
  };
  kind.addEventListener("change", show);
  show();
}
