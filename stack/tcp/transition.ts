/**
 * The machine as one pure function: a control block, an event and a time give a control block and all that follows. Nothing is
 * changed but what is returned. Drivers that keep one block for each connection call the parts, which change it in place.
 */
import type { Segment } from '../../harness/segment/index.js';
import { abort, close, receive, release, type SendOptions, send, setSettings } from './calls.js';
import { type ControlBlock, cloneBlock } from './control-block.js';
import { expire } from './expire.js';
import { type IcmpNews, icmpArrives } from './icmp.js';
import { openActive } from './open.js';
import { segmentArrives } from './segment-arrives.js';
import type { TcpSettings } from './settings.js';
import { type Notice, newStep, type Step } from './step.js';
import type { Nanos } from './time.js';

export type TcpEvent =
  | { readonly kind: 'open' }
  | { readonly kind: 'segment'; readonly segment: Segment }
  | { readonly kind: 'time' }
  | ({ readonly kind: 'send'; readonly data: Uint8Array } & SendOptions)
  | { readonly kind: 'receive'; readonly most: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'release' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'icmp'; readonly news: IcmpNews }
  | { readonly kind: 'settings'; readonly settings: Partial<TcpSettings> };

export interface Transition {
  readonly block: ControlBlock;
  readonly segments: readonly Segment[];
  readonly notices: readonly Notice[];
  /** Of SEND: octets taken. */
  readonly taken?: number;
  /** Of RECEIVE. */
  readonly data?: Uint8Array;
}

export function transition(block: ControlBlock, event: TcpEvent, nowNs: Nanos): Transition {
  const next = cloneBlock(block);
  const step = newStep(nowNs);
  const results = advance(next, step, event);
  return { block: next, segments: step.segments, notices: step.notices, ...results };
}

/** The same in place. */
export function advance(
  block: ControlBlock,
  step: Step,
  event: TcpEvent,
): { readonly taken?: number; readonly data?: Uint8Array } {
  switch (event.kind) {
    case 'open':
      // "error: connection already exists"
      if (block.state === 'CLOSED') openActive(block, step);
      return {};
    case 'segment':
      segmentArrives(block, step, event.segment);
      return {};
    case 'time':
      if (block.state !== 'CLOSED') expire(block, step);
      return {};
    case 'send':
      return { taken: send(block, step, event.data, event) };
    case 'receive':
      return { data: receive(block, step, event.most) };
    case 'close':
      close(block, step);
      return {};
    case 'release':
      release(block, step);
      return {};
    case 'abort':
      abort(block, step);
      return {};
    case 'icmp':
      icmpArrives(block, step, event.news);
      return {};
    case 'settings':
      setSettings(block, step, event.settings);
      return {};
  }
}
