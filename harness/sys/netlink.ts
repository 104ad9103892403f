/** Netlink: messages and attributes as bytes, and a socket that asks and reads the whole answer. */
import { AF_NETLINK, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_RAW } from './constants.js';
import { check, checkAgain, errnoName, SysError } from './errno.js';
import { libc } from './libc.js';

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_CREATE = 0x400;
export const NLM_F_EXCL = 0x200;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_OCTETS = 16;
const ANSWER_OCTETS = 65536;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

const align4 = (n: number): number => (n + 3) & ~3;

/** One attribute (`struct nlattr`), padded. */
export function attribute(type: number, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align4(4 + data.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + data.length, true);
  view.setUint16(2, type, true);
  bytes.set(data, 4);
  return bytes;
}

/** Attributes by type, from the octets behind a message's fixed part. The nested and byte-order bits are masked. */
export function parseAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += align4(length);
  }
  return attributes;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function parseMessages(bytes: Uint8Array): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + HEADER_OCTETS <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER_OCTETS || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      body: bytes.subarray(at + HEADER_OCTETS, at + length),
    });
    at += align4(length);
  }
  return messages;
}

/** What is asked of the kernel, and in words, for errors. */
export interface NetlinkRequest {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
  readonly what: string;
}

/** The message of a request, as it is sent. */
export function requestMessage({ type, flags, body }: NetlinkRequest, sequence: number): Uint8Array {
  const message = new Uint8Array(HEADER_OCTETS + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST | flags, true);
  view.setUint32(8, sequence, true);
  message.set(body, HEADER_OCTETS);
  return message;
}

/** Sorts what came in answer: the messages of the answer so far, and whether that was all. Throws what the kernel refused. */
export function takeAnswers(
  octets: Uint8Array,
  { flags, what }: NetlinkRequest,
): { readonly answers: readonly NetlinkMessage[]; readonly isWhole: boolean } {
  const answers: NetlinkMessage[] = [];
  for (const answer of parseMessages(octets)) {
    if (answer.type === NLMSG_DONE) return { answers, isWhole: true };
    if (answer.type === NLMSG_ERROR) {
      const errno = -new DataView(answer.body.buffer, answer.body.byteOffset).getInt32(0, true);
      if (errno !== 0) throw new SysError(errnoName(errno), what);
      return { answers, isWhole: true };
    }
    answers.push(answer);
    if ((flags & (NLM_F_DUMP | NLM_F_ACK)) === 0) return { answers, isWhole: true };
  }
  return { answers, isWhole: false };
}

/** A netlink socket of the namespace that the calling thread is in when it is made. */
export class NetlinkSocket implements Disposable {
  readonly fd: number;
  #sequence = 0;
  readonly #buffer = new Uint8Array(ANSWER_OCTETS);

  constructor(protocol: number, multicastGroups = 0) {
    this.fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket(AF_NETLINK)');
    const address = new Uint8Array(12);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, multicastGroups, true);
    check(libc.bind(this.fd, address, address.length), 'bind(AF_NETLINK)');
  }

  /** Sends a request and reads up to its acknowledgement or the end of the dump. The kernel answers at once: no waiting. */
  request(request: NetlinkRequest): NetlinkMessage[] {
    this.#sequence += 1;
    const message = requestMessage(request, this.#sequence);
    check(libc.send(this.fd, message, message.length, 0), request.what);
    const all: NetlinkMessage[] = [];
    for (;;) {
      const octets = check(libc.recv(this.fd, this.#buffer, this.#buffer.length, 0), request.what);
      const { answers, isWhole } = takeAnswers(this.#buffer.slice(0, octets), request);
      all.push(...answers);
      if (isWhole) return all;
    }
  }

  /** What a multicast group has sent since the last call, and whether the kernel had more than there was room for. Never waits. */
  pending(): { readonly messages: readonly NetlinkMessage[]; readonly hasLost: boolean } {
    const messages: NetlinkMessage[] = [];
    let hasLost = false;
    for (;;) {
      try {
        const octets = checkAgain(
          libc.recv(this.fd, this.#buffer, this.#buffer.length, MSG_DONTWAIT),
          'recv(AF_NETLINK)',
        );
        if (octets === undefined) return { messages, hasLost };
        messages.push(...parseMessages(this.#buffer.slice(0, octets)));
      } catch (error) {
        // Said once for all that was lost; what was kept comes behind.
        if (!(error instanceof SysError && error.code === 'ENOBUFS')) throw error;
        hasLost = true;
      }
    }
  }

  [Symbol.dispose](): void {
    libc.close(this.fd);
  }
}
