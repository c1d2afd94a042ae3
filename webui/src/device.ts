// What is set on this device only.

const shelf = "posthouse.device.";

export type Switch = "quiet" | "sound"; // no notifications here; a sound with each

export function switched(name: Switch): boolean {
  try {
    return localStorage.getItem(shelf + name) === "on";
  } catch {
    return false;
  }
}

export function setSwitch(name: Switch, on: boolean): void {
  try {
    if (on) localStorage.setItem(shelf + name, "on");
    else localStorage.removeItem(shelf + name);
  } catch {
    // Forbidden: as it was.
  }
}
