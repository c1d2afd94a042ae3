// Calls over HTTP, and the error both transports give.

import type { ErrorBody, Kind, Methods, Method } from "./api";

export type Params<M extends Method> = Methods[M]["params"];
export type Result<M extends Method> = Methods[M]["result"];

// Trouble is a kind of the protocol, or what the client itself finds: the
// server was not reached (network), did not answer (timeout), or the answer was
// not one of Posthouse (answer).
export type Trouble = Kind | "network" | "timeout" | "answer";

export class RpcError extends Error {
  constructor(readonly kind: Trouble, message: string, readonly retryAfter = 0, readonly field = "", readonly trace = "", readonly status = 0) {
    super(message);
    this.name = "RpcError"; // bundling gives the class another
  }

  static of(body: ErrorBody): RpcError {
    const d = body.data;
    return new RpcError(d?.kind ?? "answer", body.message, d?.retry_after_ms ?? 0, d?.field ?? "", d?.trace ?? "", body.code);
  }
}

// passing tells whether the same call may succeed later by itself.
export function passing(e: unknown): boolean {
  return e instanceof RpcError && (["network", "timeout", "answer", "unavailable", "rate_limited", "internal"] as Trouble[]).includes(e.kind);
}

// post calls a method as POST /api/<method>. The session is the cookie.
export async function post<M extends Method>(method: M, params: Params<M>, lang: string, timeout = 30000): Promise<Result<M>> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), timeout);
  try {
    const answer = await fetch("/api/" + method, {
      method: "POST",
      credentials: "same-origin",
      cache: "no-store",
      signal: stop.signal,
      headers: { "Content-Type": "application/json", "Posthouse-Language": lang },
      body: JSON.stringify(params),
    }).catch(() => {
      throw new RpcError(stop.signal.aborted ? "timeout" : "network", "");
    });
    let body: unknown;
    try {
      body = await answer.json();
    } catch {
      if (stop.signal.aborted) throw new RpcError("timeout", "");
      throw new RpcError(answer.status === 401 ? "unauthenticated" : "answer", "", 0, "", "", answer.status);
    }
    if (answer.ok) return body as Result<M>;
    throw RpcError.of(body as ErrorBody);
  } finally {
    clearTimeout(timer);
  }
}
