// The address of the page: #/<name>/<arg>/<arg>… Everything one can see has one,
// so that the back button and a copied link work.

export interface Route {
  name: string; // "" at home
  args: string[];
}

export function parse(hash: string): Route {
  const parts = hash.replace(/^#\/?/, "").split("/").filter((p) => /^[\w.~%-]{1,2000}$/.test(p));
  const [name = "", ...args] = parts.map(decode);
  return { name, args };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function route(): Route {
  return parse(location.hash);
}
