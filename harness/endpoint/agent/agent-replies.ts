/** What a reply says, by its status: the request's own payload, or the error that it stands for. Pure. */
import { SocketError, Unsupported } from '../endpoint.js';
import { type AgentMessage, Status } from './agent-message.js';
import {
  REQUESTS,
  type ReplyBody,
  type RequestName,
  sentence,
  stackError,
  takenSoFar,
} from './agent-requests.js';
import { decodeField, Malformed } from './octet-fields.js';

/** The answer to a request that was taken back by CANCEL. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  constructor(
    /** Octets that a SEND had handed to the stack; 0 for all others. */
    readonly taken: number,
  ) {
    super(`cancelled when ${taken} octets had been taken`);
  }
}

/** How a call is named to people: `setsockopt`, `TCP_NODELAY`. */
export interface CallName {
  readonly call: string;
  readonly detail?: string | undefined;
}

/** The payload of a success; throws what the other statuses say. */
export function replyBody<N extends RequestName>(name: N, reply: AgentMessage, as: CallName): ReplyBody<N> {
  const { status, payload } = reply;
  try {
    if (status === Status.ok) return decodeField(REQUESTS[name].reply, payload) as ReplyBody<N>;
    throw failure(status, payload, as);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new Malformed(`the agent's answer to ${name} makes no sense: ${error.message}`);
  }
}

function failure(status: number, payload: Uint8Array, { call, detail }: CallName): Error {
  switch (status) {
    case Status.stackError: {
      const said = decodeField(stackError, payload);
      return new SocketError(said.errno, call, said.detail === '' ? detail : said.detail);
    }
    case Status.unsupported:
      return new Unsupported(`${call}: ${decodeField(sentence, payload).sentence}`);
    case Status.cancelled:
      return new Cancelled(payload.length === 0 ? 0 : decodeField(takenSoFar, payload).octets);
    case Status.badRequest:
      return new Error(`the agent calls ${call} a bad request: ${decodeField(sentence, payload).sentence}`);
    default:
      throw new Malformed(`its status is ${status}, and 0 to 4 are known`);
  }
}
