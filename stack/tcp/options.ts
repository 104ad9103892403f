/** The options that segments carry. */
import {
  FLAG,
  type SackBlock,
  type Segment,
  type SeqNumber,
  seqGeq,
  seqLt,
  type TcpOption,
} from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';
import { scaleFor } from './receive-window.js';
import { NANOS_PER_MS, type Nanos } from './time.js';

const NOP = { kind: 'nop' } as const;
const SACK_PERMITTED = { kind: 'sackPermitted' } as const;

/** TSval counts milliseconds, from an offset that differs from connection to connection (RFC 7323 sections 5.4 and 7.1). */
export const tsNow = ({ tsOffset }: Pick<ControlBlock, 'tsOffset'>, nowNs: Nanos): number =>
  (Math.floor(nowNs / NANOS_PER_MS) + tsOffset) >>> 0;

/** On a SYN what this side would like; on a SYN,ACK what of it the other side's SYN had too (RFC 7323 section 1.3). */
export function synOptions(block: ControlBlock, nowNs: Nanos, isAnswer: boolean): TcpOption[] {
  const { settings } = block;
  const options: TcpOption[] = [{ kind: 'mss', mss: block.ownMss }];
  const sack = isAnswer ? block.hasSack : settings.sack;
  const timestamps = isAnswer ? block.hasTimestamps : settings.timestamps;
  if (sack) options.push(SACK_PERMITTED);
  if (timestamps) {
    if (!sack) options.push(NOP, NOP);
    options.push({
      kind: 'timestamps',
      tsVal: tsNow(block, nowNs),
      tsEcr: isAnswer ? block.tsRecent : 0,
    });
  } else if (sack) options.push(NOP, NOP);
  if (isAnswer ? block.hasWindowScale : settings.windowScale)
    options.push(NOP, { kind: 'windowScale', shift: scaleFor(settings.receiveBufferOctets) });
  if (block.fastOpenCookie !== undefined) options.push({ kind: 'fastOpen', cookie: block.fastOpenCookie });
  const userTimeout = userTimeoutOption(block);
  if (userTimeout !== undefined && block.fastOpenCookie === undefined) options.push(userTimeout);
  return options;
}

/** RFC 5482: what this side's program asked for, told once. */
export function userTimeoutOption(block: ControlBlock): TcpOption | undefined {
  const { userTimeoutMs, userTimeoutOption: isTold } = block.settings;
  if (!block.owesUserTimeout || !isTold || userTimeoutMs === 0) return undefined;
  const seconds = Math.max(Math.round(userTimeoutMs / 1000), 1);
  if (seconds < 0x8000) return { kind: 'userTimeout', granularity: 'seconds', timeout: seconds };
  return { kind: 'userTimeout', granularity: 'minutes', timeout: Math.min(Math.round(seconds / 60), 0x7fff) };
}

const NO_OPTIONS: readonly TcpOption[] = Object.freeze([]);

interface Stamp {
  readonly tsVal: number;
  readonly tsEcr: number;
  readonly options: readonly TcpOption[];
}

/** Many segments leave within a millisecond: they share what they say. */
let lastStamp: Stamp = { tsVal: -1, tsEcr: -1, options: NO_OPTIONS };

/** RFC 7323 section 3.2: on a RST too (SHOULD), and nothing else. */
export function timestampOptions(block: ControlBlock, nowNs: Nanos): readonly TcpOption[] {
  if (!block.hasTimestamps) return NO_OPTIONS;
  const tsVal = tsNow(block, nowNs);
  const tsEcr = block.tsRecent;
  if (lastStamp.tsVal !== tsVal || lastStamp.tsEcr !== tsEcr)
    lastStamp = { tsVal, tsEcr, options: [NOP, NOP, { kind: 'timestamps', tsVal, tsEcr }] };
  return lastStamp.options;
}

/** On all other segments. RFC 7323 section 3.2: timestamps on each once both SYNs had them. */
export function usualOptions(block: ControlBlock, nowNs: Nanos): readonly TcpOption[] {
  const hasBlocks = block.hasSack && (block.early.length > 0 || block.dsack !== undefined);
  const owes = block.owesUserTimeout && block.settings.userTimeoutMs > 0;
  if (!hasBlocks && !owes) return timestampOptions(block, nowNs);
  const options: TcpOption[] = [...timestampOptions(block, nowNs)];
  if (hasBlocks) {
    const most = block.hasTimestamps ? 3 : 4;
    options.push(NOP, NOP, { kind: 'sack', blocks: sackBlocks(block, most) });
  } else if (owes) {
    const told = userTimeoutOption(block);
    if (told !== undefined) options.push(told);
  }
  return options;
}

/**
 * RFC 2018 section 4: the block with what came last is the first, then those that were told most recently. RFC 2883: what came
 * twice goes before all.
 */
function sackBlocks(block: ControlBlock, most: number): SackBlock[] {
  const blocks: SackBlock[] = block.dsack === undefined ? [] : [block.dsack];
  for (const seq of block.recentBlocks) {
    if (blocks.length === most) break;
    const found = block.early.find(({ left, right }) => seqGeq(seq, left) && seqLt(seq, right));
    if (found !== undefined && !blocks.includes(found)) blocks.push(found);
  }
  return blocks;
}

/** Octets of options, in whole words. */
export function optionOctets(options: readonly TcpOption[]): number {
  let octets = 0;
  for (const option of options) {
    if (option.kind === 'nop') octets += 1;
    else if (option.kind === 'timestamps') octets += 10;
    else if (option.kind === 'sack') octets += 2 + 8 * option.blocks.length;
    else if (option.kind === 'userTimeout') octets += 4;
  }
  return (octets + 3) & ~3;
}

export interface SynOptions {
  readonly mss: number | undefined;
  readonly windowShift: number | undefined;
  readonly sackPermitted: boolean;
  readonly timestamps: { readonly tsVal: number; readonly tsEcr: number } | undefined;
  readonly fastOpen: Uint8Array | undefined;
  readonly userTimeoutMs: number | undefined;
  /** RFC 3168 section 6.1.1: ECE and CWR on a SYN ask for ECN, ECE alone on a SYN,ACK grants it. */
  readonly ecn: boolean;
}

/** What the options of a SYN say. Of an option that comes twice the first counts. */
export function readSynOptions(segment: Segment): SynOptions {
  const found: { -readonly [K in keyof SynOptions]: SynOptions[K] } = {
    mss: undefined,
    windowShift: undefined,
    sackPermitted: false,
    timestamps: undefined,
    fastOpen: undefined,
    userTimeoutMs: undefined,
    ecn: asksForEcn(segment.flags),
  };
  for (const option of segment.options) {
    if (option.kind === 'mss') found.mss ??= option.mss;
    // RFC 7323 section 2.3: more than 14 is taken for 14.
    else if (option.kind === 'windowScale') found.windowShift ??= Math.min(option.shift, 14);
    else if (option.kind === 'sackPermitted') found.sackPermitted = true;
    else if (option.kind === 'timestamps') found.timestamps ??= option;
    else if (option.kind === 'fastOpen' && isCookie(option.cookie)) found.fastOpen ??= option.cookie;
    else if (option.kind === 'userTimeout') found.userTimeoutMs ??= userTimeoutMsOf(option);
  }
  return found;
}

/** RFC 7413 section 4.1.1: none, or an even number of octets from 4 to 16; else the option is ignored. */
const isCookie = ({ length }: Uint8Array): boolean =>
  length === 0 || (length >= 4 && length <= 16 && length % 2 === 0);

function asksForEcn(flags: number): boolean {
  const bits = flags & (FLAG.ECE | FLAG.CWR);
  return (flags & FLAG.ACK) === 0 ? bits === (FLAG.ECE | FLAG.CWR) : bits === FLAG.ECE;
}

export const userTimeoutMsOf = (option: Extract<TcpOption, { kind: 'userTimeout' }>): number =>
  option.timeout * (option.granularity === 'minutes' ? 60_000 : 1000);

/** The latest block first; no more are remembered than can be told. */
export function rememberBlock(block: ControlBlock, seq: SeqNumber): void {
  const kept = block.recentBlocks.filter((each) => each !== seq);
  block.recentBlocks = [seq, ...kept].slice(0, 8);
}
