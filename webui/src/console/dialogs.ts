// Dialogs of the page. Without script they open by their address; here they
// are modal, and the focus goes back where it was.

function open(d: HTMLDialogElement): void {
  if (!d.open) d.showModal();
}

export function startDialogs(root: ParentNode): void {
  for (const a of root.querySelectorAll<HTMLElement>("[data-dialog]")) {
    a.addEventListener("click", (e) => {
      const d = document.getElementById(a.dataset["dialog"]!);
      if (!(d instanceof HTMLDialogElement)) return;
      e.preventDefault();
      open(d);
    });
    a.addEventListener("keydown", (e) => {
      if (e.key !== " ") return;
      e.preventDefault();
      a.click();
    });
  }
  for (const d of root.querySelectorAll<HTMLDialogElement>("dialog.confirm")) {
    const field = d.querySelector<HTMLInputElement>("[data-typed]");
    const go = d.querySelector<HTMLButtonElement>("button.danger");
    const judge = () => {
      if (field && go) go.disabled = field.value.trim() !== field.dataset["typed"];
    };
    field?.addEventListener("input", judge);
    judge();
    d.querySelector("[data-close]")?.addEventListener("click", (e) => {
      e.preventDefault();
      d.close();
    });
    d.addEventListener("close", () => {
      if (location.hash === "#" + d.id) history.replaceState(history.state, "", location.pathname + location.search);
      for (const a of document.querySelectorAll<HTMLElement>("[data-dialog]")) if (a.dataset["dialog"] === d.id) return a.focus();
    });
    // Pressed before the script was there, or filled in wrongly.
    if (location.hash === "#" + d.id || d.querySelector(".error")) open(d);
  }
}
