/** Socket calls between threads, as plain data: where the project's own TCP runs on a thread of its own, so that its timers are punctual. */
import { messageOf } from '../../text/index.js';
import { SocketError, Unsupported, WaitTimeout } from '../endpoint.js';
import type { SocketDriver } from '../socket-driver.js';

export type Method = keyof SocketDriver;

/** Sockets have numbers: above 0 those that the caller made, below 0 those that were accepted. */
export type OwnCall =
  | { readonly kind: 'make'; readonly socket: number }
  | {
      readonly kind: 'call';
      readonly socket: number;
      readonly method: Method;
      readonly args: readonly unknown[];
    }
  | { readonly kind: 'sockets' };

export type OwnAnswer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'socket-error'; readonly errno: string; readonly call: string; readonly detail?: string }
  | { readonly kind: 'wait-timeout'; readonly call: string; readonly withinMs: number }
  | { readonly kind: 'unsupported'; readonly message: string }
  | { readonly kind: 'error'; readonly message: string };

export function refusalOf(error: unknown): OwnAnswer {
  if (error instanceof SocketError) {
    const { errno, call, detail } = error;
    return { kind: 'socket-error', errno, call, ...(detail === undefined ? {} : { detail }) };
  }
  if (error instanceof WaitTimeout)
    return { kind: 'wait-timeout', call: error.call, withinMs: error.withinMs };
  const message = messageOf(error);
  return error instanceof Unsupported ? { kind: 'unsupported', message } : { kind: 'error', message };
}

/** The value, or what was thrown is thrown again. */
export function resultOf(answer: OwnAnswer): unknown {
  switch (answer.kind) {
    case 'value':
      return answer.value;
    case 'socket-error':
      throw new SocketError(answer.errno, answer.call, answer.detail);
    case 'wait-timeout':
      throw new WaitTimeout(answer.call, answer.withinMs);
    case 'unsupported':
      throw new Unsupported(answer.message);
    case 'error':
      throw new Error(answer.message);
  }
}
