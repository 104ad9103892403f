/** What an agent tells without being asked: of watched sockets, and of all its connections. Pure. */
import type { Address } from '../endpoint.js';
import { TCP_STATES, type TcpState } from '../tcp-state.js';
import type { AgentMessage } from './agent-message.js';
import {
  address,
  type Field,
  type FieldValue,
  Malformed,
  OctetReader,
  OctetWriter,
  struct,
  text,
  u8,
  u64,
} from './octet-fields.js';

/** A change of state of some connection, at its instant. `from` and `to` are TIME-WAIT when that was started anew. */
export interface AgentTransition {
  /** CLOCK_MONOTONIC of the agent's machine. */
  readonly atMonotonicNs: bigint;
  readonly local: Address;
  readonly remote: Address;
  readonly from: TcpState;
  readonly to: TcpState;
  /** In TIME-WAIT: how long it will last. */
  readonly remainsNs?: number;
}

export type AgentEvent =
  | { readonly kind: 'acceptable' | 'readable' | 'end' }
  /** It stays pending. */
  | { readonly kind: 'error'; readonly errno: string }
  | { readonly kind: 'state'; readonly state: TcpState | undefined }
  | { readonly kind: 'transition'; readonly transition: AgentTransition };

/** In the order of their numbers, from 1. */
export const EVENT_KINDS = ['acceptable', 'readable', 'end', 'error', 'state', 'transition'] as const;

/** The state with a number of the protocol; undefined for 0, which says that the agent does not know. */
export function stateOfNumber(number: number): TcpState | undefined {
  if (number > TCP_STATES.length)
    throw new Malformed(`a state has number ${number}, and ${TCP_STATES.length} are known`);
  return TCP_STATES[number - 1];
}

export const numberOfState = (state: TcpState): number => TCP_STATES.indexOf(state) + 1;

export function eventMask(kinds: readonly AgentEvent['kind'][]): number {
  return kinds.reduce((mask, kind) => mask | (1 << EVENT_KINDS.indexOf(kind)), 0);
}

const transitionFields = struct({
  atNs: u64,
  from: u8,
  to: u8,
  local: address,
  remote: address,
  remainsNs: u64,
});

const transition: Field<AgentTransition> = {
  write: (out, { atMonotonicNs, local, remote, from, to, remainsNs = 0 }) =>
    transitionFields.write(out, {
      atNs: atMonotonicNs,
      from: numberOfState(from),
      to: numberOfState(to),
      local,
      remote,
      remainsNs: BigInt(Math.round(remainsNs)),
    }),
  read: (from) => asTransition(transitionFields.read(from)),
};

function asTransition(said: FieldValue<typeof transitionFields>): AgentTransition {
  const [from, to] = [stateOfNumber(said.from), stateOfNumber(said.to)];
  if (from === undefined || to === undefined)
    throw new Malformed('a transition is between two states that are known');
  return {
    atMonotonicNs: said.atNs,
    local: said.local,
    remote: said.remote,
    from,
    to,
    ...(said.remainsNs === 0n ? {} : { remainsNs: Number(said.remainsNs) }),
  };
}

export function decodeEvent({ payload }: AgentMessage): AgentEvent {
  const from = new OctetReader(payload);
  const number = from.number(1);
  const kind = EVENT_KINDS[number - 1];
  if (kind === undefined)
    throw new Malformed(`an event has number ${number}, and ${EVENT_KINDS.length} are known`);
  if (kind === 'error') return { kind, errno: text.read(from) };
  if (kind === 'state') return { kind, state: stateOfNumber(from.number(1)) };
  if (kind === 'transition') return { kind, transition: transition.read(from) };
  return { kind };
}

/** The payload of an event. */
export function encodeEvent(event: AgentEvent): Uint8Array {
  const out = new OctetWriter();
  out.number(1, EVENT_KINDS.indexOf(event.kind) + 1);
  if (event.kind === 'error') text.write(out, event.errno);
  if (event.kind === 'state') out.number(1, event.state === undefined ? 0 : numberOfState(event.state));
  if (event.kind === 'transition') transition.write(out, event.transition);
  return out.whole();
}
