/** What an agent tells of a watched socket without being asked. Pure. */
import { TCP_STATES, type TcpState } from '../tcp-state.js';
import type { AgentMessage } from './agent-message.js';
import { Malformed, OctetReader, text } from './octet-fields.js';

export type AgentEvent =
  | { readonly kind: 'acceptable' | 'readable' | 'end' }
  /** It stays pending. */
  | { readonly kind: 'error'; readonly errno: string }
  | { readonly kind: 'state'; readonly state: TcpState | undefined };

/** In the order of their numbers, from 1. */
export const EVENT_KINDS = ['acceptable', 'readable', 'end', 'error', 'state'] as const;

/** The state with a number of the protocol; undefined for 0, which says that the agent does not know. */
export function stateOfNumber(number: number): TcpState | undefined {
  if (number > TCP_STATES.length)
    throw new Malformed(`a state has number ${number}, and ${TCP_STATES.length} are known`);
  return TCP_STATES[number - 1];
}

export function eventMask(kinds: readonly AgentEvent['kind'][]): number {
  return kinds.reduce((mask, kind) => mask | (1 << EVENT_KINDS.indexOf(kind)), 0);
}

export function decodeEvent({ payload }: AgentMessage): AgentEvent {
  const from = new OctetReader(payload);
  const number = from.number(1);
  const kind = EVENT_KINDS[number - 1];
  if (kind === undefined)
    throw new Malformed(`an event has number ${number}, and ${EVENT_KINDS.length} are known`);
  if (kind === 'error') return { kind, errno: text.read(from) };
  if (kind === 'state') return { kind, state: stateOfNumber(from.number(1)) };
  return { kind };
}
