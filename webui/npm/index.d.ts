import type { Event, ID, Method, Methods, Room, SendParams, Sent, User } from "./api.js";
export type * from "./api.js";
/** What the connection does; until is a time in ms. */
export type Link = {
    state: "connecting";
} | {
    state: "online";
} | {
    state: "waiting";
    until: number;
} | {
    state: "offline";
} | {
    state: "stopped";
};
/** Every refusal and failure of a call is one. */
export interface CallError extends Error {
    /** A kind of the protocol, or what the client found: not reached, no answer in time, or an answer that is not of the protocol. */
    readonly kind: import("./api.js").Kind | "network" | "timeout" | "answer";
    /** Milliseconds to wait before trying again; 0 when the server named none. */
    readonly retryAfter: number;
    /** The parameter that was refused, or empty. */
    readonly field: string;
    /** Finds the request in the server's log, or empty. */
    readonly trace: string;
}
export interface Options {
    /** Address of the server: https://host:port, or http:// on the same machine. */
    url: string;
    /** Device token of an account. Left out in a page that the server itself serves: then its cookie counts. */
    token?: string;
    /** The WebSocket class, where it is not global: that of the package ws in Node before 22. */
    WebSocket?: new (url: string) => unknown;
    /** Language of error texts. */
    lang?: "en" | "zh";
    /** Resume where an earlier client was: its since. Without it the stream begins now. */
    since?: number;
}
/** What on() tells of, beside the events of the protocol. */
export interface Signals {
    /** All rooms, at the first connection without since and whenever the server began anew: drop what you knew, but go on with the messages, which follow without a hole. */
    rooms: Room[];
    /** The connection changed. */
    link: Link;
    /** The client is closed for good: error says why the server refused it; none after close(). */
    closed: CallError | undefined;
}
type Told = Exclude<Event, {
    type: "drain" | "reset";
}>;
/** A connected account. Messages of a room arrive once each, in order, without a hole; other events that are records at least once. */
export interface Client {
    /** The account of the token. */
    readonly user: User;
    readonly device: ID;
    readonly link: Link;
    /** Where to resume in a later run; keep it after your handlers have done their work. The events of the last record before it come once more. */
    readonly since: number;
    /** Calls a method of the table. It waits for the connection. With a key in params it is tried until it is answered and happens once; without one a break during the call rejects it with kind "network", and whether it happened is not known. */
    call<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]>;
    /** Sends a message, once, however often the connection breaks; messages to one room in the order of the calls. Resolves when it is on disk. */
    send(room: ID, text: string, more?: Partial<SendParams>): Promise<Sent>;
    /** Calls f for every event of a type: with its data and, for records, its position. Returns what ends that. */
    on<T extends Told["type"]>(type: T, f: (data: Extract<Told, {
        type: T;
    }>["data"], position: number) => unknown): () => void;
    on<S extends keyof Signals>(signal: S, f: (data: Signals[S]) => unknown): () => void;
    /** Ends the connection and every call under way. */
    close(): void;
}
/** A key for message.send, message.forward and room.create: a UUID of version 7. */
export declare function newKey(): string;
/** Connects and stays connected. Rejects when the server refuses the token; while the server is away it goes on trying. */
export declare function connect(options: Options): Promise<Client>;
