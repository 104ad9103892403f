/** Openings by cookie: the answer to a SYN of which nothing is kept, and the connection that its ACK brings back. */
import {
  FLAG,
  option,
  type Segment,
  seqAdd,
  seqNumber,
  type TcpOption,
} from '../../harness/segment/index.js';
import {
  type ControlBlock,
  newBlock,
  newStep,
  type OpenOptions,
  openPassive,
  readSynOptions,
} from '../tcp/index.js';
import type { KeyedHash } from './keyed-hash.js';
import { makeCookie, OPTION_BITS, optionBits, readCookie, readOptionBits } from './syn-cookies.js';

export interface CookieJar {
  readonly secret: KeyedHash;
  readonly nowNs: number;
  /** For a connection between these two. */
  readonly options: OpenOptions;
}

/** Sends the SYN,ACK whose ISN is a cookie, and keeps nothing. */
export function answerWithCookie(
  { secret, nowNs, options }: CookieJar,
  syn: Segment,
  send: (answer: Segment) => void,
): void {
  const { mss = 536, windowShift, sackPermitted } = readSynOptions(syn);
  const iss = makeCookie(secret, options, { seq: syn.seq, mss, nowNs });
  const bits = optionBits({ windowShift, sackPermitted });
  // Without timestamps there is no place for what else would be agreed on.
  const hasTimestamps = option(syn, 'timestamps') !== undefined && options.settings.timestamps;
  const settings = hasTimestamps
    ? options.settings
    : { ...options.settings, windowScale: false, sack: false };
  const block = newBlock({ ...options, iss, settings }, false, nowNs);
  const step = newStep(nowNs);
  openPassive(block, step, syn);
  for (const segment of step.segments) send(hasTimestamps ? withBits(segment, bits) : segment);
}

/** The low bits of TSval say what was agreed on; a few milliseconds early, so that later ones are not smaller. */
function withBits(segment: Segment, bits: number): Segment {
  const options = segment.options.map((each): TcpOption => {
    if (each.kind !== 'timestamps') return each;
    const base = (each.tsVal >>> OPTION_BITS) * 2 ** OPTION_BITS;
    const tsVal = base + bits <= each.tsVal ? base + bits : base - 2 ** OPTION_BITS + bits;
    return { ...each, tsVal: tsVal >>> 0 };
  });
  return { ...segment, options };
}

/** The connection in SYN-RECEIVED that an ACK with a cookie belongs to; undefined when it has none. */
export function openFromCookie(
  { secret, nowNs, options }: CookieJar,
  ack: Segment,
): ControlBlock | undefined {
  if ((ack.flags & FLAG.SYN) !== 0) return undefined;
  const iss = seqAdd(ack.ack, -1);
  const synSeq = seqAdd(ack.seq, -1);
  const mss = readCookie(secret, options, { cookie: iss, synSeq, nowNs });
  if (mss === undefined) return undefined;
  const timestamps = options.settings.timestamps ? option(ack, 'timestamps') : undefined;
  const block = newBlock({ ...options, iss }, false, nowNs);
  openPassive(block, newStep(nowNs), {
    ...ack,
    seq: synSeq,
    ack: seqNumber(0),
    flags: FLAG.SYN,
    options: synOptions(mss, timestamps),
    payload: NOTHING,
  });
  return block;
}

const NOTHING = new Uint8Array(0);

function synOptions(
  mss: number,
  timestamps: Extract<TcpOption, { kind: 'timestamps' }> | undefined,
): TcpOption[] {
  const options: TcpOption[] = [{ kind: 'mss', mss }];
  if (timestamps === undefined) return options;
  const { windowShift, sackPermitted } = readOptionBits(timestamps.tsEcr & (2 ** OPTION_BITS - 1));
  options.push(timestamps);
  if (windowShift !== undefined) options.push({ kind: 'windowScale', shift: windowShift });
  if (sackPermitted) options.push({ kind: 'sackPermitted' });
  return options;
}
