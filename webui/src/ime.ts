// Whether a press of Enter sends. Pure: a wrong answer sends half-typed text,
// so it is tested alone.

export interface Press {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  keyCode: number; // 229: the key went to the input method
  timeStamp: number; // ms
}

// Safari tells that a composition ended before it tells of the Enter that
// ended it; an Enter this soon after belongs to the composition.
export const settle = 100; // ms

// sends reports whether a key press sends the message. composing: between
// compositionstart and compositionend; ended: timeStamp of the last
// compositionend, or -1.
export function sends(p: Press, composing: boolean, ended: number): boolean {
  if (p.key !== "Enter" || p.shiftKey || p.altKey || p.ctrlKey || p.metaKey) return false;
  return !inComposition(p, composing, ended);
}

// inComposition reports whether a key press belongs to the input method.
export function inComposition(p: Press, composing: boolean, ended: number): boolean {
  if (composing || p.isComposing || p.keyCode === 229) return true;
  return ended >= 0 && p.timeStamp - ended < settle;
}
