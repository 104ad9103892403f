/** The requests of the agent protocol, one entry a row of its page: number, payload of the request, payload of the reply. Pure data. */
import {
  address,
  chunks,
  type Field,
  type FieldValue,
  flag,
  i32,
  i64,
  list,
  Malformed,
  rest,
  struct,
  text,
  u8,
  u16,
  u32,
} from './octet-fields.js';

export const VERSION = 1;

export type OptionValue =
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'octets'; readonly octets: Uint8Array };

export const OPTION_KINDS = { number: 1, text: 2, octets: 3 } as const;

const optionValue: Field<OptionValue> = {
  write: (out, value) => {
    out.number(1, OPTION_KINDS[value.kind]);
    if (value.kind === 'number') i64.write(out, value.number);
    else if (value.kind === 'text') text.write(out, value.text);
    else rest.write(out, value.octets);
  },
  read: (from) => {
    const kind = from.number(1);
    if (kind === OPTION_KINDS.number) return { kind: 'number', number: i64.read(from) };
    if (kind === OPTION_KINDS.text) return { kind: 'text', text: text.read(from) };
    if (kind === OPTION_KINDS.octets) return { kind: 'octets', octets: rest.read(from) };
    throw new Malformed(`an option's value has kind ${kind}, which is none of 1 to 3`);
  },
};

const socketState = struct({
  state: u8,
  local: address,
  remote: address,
  recvOctets: u32,
  sendOctets: u32,
  timer: u8,
  remainsMs: u32,
  retransmits: u32,
});

const nothing = struct({});
const taken = struct({ octets: u32 });

const row = <Q, R>(type: number, request: Field<Q>, reply: Field<R>) => ({ type, request, reply });

export const REQUESTS = {
  HELLO: row(
    1,
    struct({ lowest: u16, highest: u16 }),
    struct({ version: u16, capabilities: u32, mostOctets: u32, mostSockets: u32, stack: text, system: text }),
  ),
  SOCKET: row(2, struct({ family: u8, namespace: u32 }), nothing),
  BIND: row(3, struct({ address }), struct({ local: address })),
  LISTEN: row(4, struct({ backlog: u32 }), struct({ local: address })),
  CONNECT: row(5, struct({ address }), struct({ local: address })),
  ESTABLISHED: row(6, nothing, struct({ local: address })),
  ACCEPT: row(7, nothing, struct({ socket: u32, local: address, remote: address })),
  SEND: row(8, struct({ flags: u16, data: rest }), taken),
  RECEIVE: row(9, struct({ most: u32, flags: u16 }), struct({ isEnd: flag, data: rest })),
  SHUTDOWN: row(10, struct({ how: u8 }), nothing),
  CLOSE: row(11, nothing, nothing),
  ABORT: row(12, nothing, nothing),
  SET_OPTION: row(13, struct({ name: text, value: optionValue }), nothing),
  GET_OPTION: row(14, struct({ name: text, kind: u8 }), struct({ value: optionValue })),
  INFO: row(15, nothing, struct({ kind: u8, state: u8, octets: rest })),
  QUEUES: row(16, nothing, struct({ recvOctets: u32, sendOctets: u32, unsentOctets: u32 })),
  AT_MARK: row(17, nothing, struct({ isAtMark: flag })),
  ERROR: row(18, nothing, struct({ errno: text })),
  POLL: row(19, nothing, struct({ events: u8 })),
  WATCH: row(20, struct({ events: u8 }), nothing),
  CANCEL: row(21, struct({ id: u32 }), struct({ wasWaiting: flag })),
  SOCKETS: row(22, nothing, struct({ sockets: list(socketState) })),
  NAMESPACE_NEW: row(32, nothing, struct({ fd: i32 })),
  NAMESPACE_FREE: row(33, nothing, nothing),
  NETLINK: row(34, struct({ namespace: u32, protocol: u16, message: rest }), struct({ answer: rest })),
  OPEN: row(35, struct({ namespace: u32, flags: u16, path: text }), nothing),
  READ: row(36, struct({ most: u32 }), struct({ chunks })),
  WRITE: row(37, struct({ octets: rest }), taken),
  CLOSE_FILE: row(38, nothing, nothing),
} as const;

export type RequestName = keyof typeof REQUESTS;
export type RequestBody<N extends RequestName> = FieldValue<(typeof REQUESTS)[N]['request']>;
export type ReplyBody<N extends RequestName> = FieldValue<(typeof REQUESTS)[N]['reply']>;

const NAMES = new Map<number, RequestName>(
  Object.entries(REQUESTS).map(([name, { type }]) => [type, name as RequestName]),
);

/** The request with a type's number; undefined: there is none. */
export const requestOfType = (type: number): RequestName | undefined => NAMES.get(type);

/** Payloads of the statuses that are no success. */
export const stackError = struct({ errno: text, detail: text });
export const sentence = struct({ sentence: text });
/** What a SEND that was cancelled had done. */
export const takenSoFar = taken;

export const CAPABILITIES = {
  namespaces: 1,
  netlink: 2,
  files: 4,
  tcpInfo: 8,
  sockets: 16,
  stateEvents: 32,
  transitions: 64,
} as const;

export type Capabilities = Readonly<Record<keyof typeof CAPABILITIES, boolean>>;

export const FILE_MODES = { read: 1, write: 2, create: 4, truncate: 8 } as const;
export const MESSAGE_FLAGS = { OOB: 1, PEEK: 2, DONTWAIT: 4, MORE: 8 } as const;

export const flagBits = (flags: readonly (keyof typeof MESSAGE_FLAGS)[]): number =>
  flags.reduce((bits, each) => bits | MESSAGE_FLAGS[each], 0);

/** Timers of a socket, in the order of their numbers, from 1. */
export const TIMERS = ['retransmit', 'keep-alive', 'time-wait', 'probe'] as const;

export const SHUTDOWN_HOW = { read: 1, write: 2, both: 3 } as const;
