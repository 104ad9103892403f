/** Timers that ran out: RFC 9293 section 3.10.8, and those of the companions. */
import { FLAG, seqAdd } from '../../harness/segment/index.js';
import type { ControlBlock, TimerName } from './control-block.js';
import { emit } from './emit.js';
import { failed, freed } from './end.js';
import { raiseMtu, suspectBlackHole } from './path-mtu.js';
import { rackDetectsLoss } from './rack.js';
import { beginFastRecovery, timedOut } from './recovery.js';
import { effectiveMss, unsentOctets } from './sizes.js';
import { isSynchronized } from './state.js';
import type { Step } from './step.js';
import { fromMs, type Nanos, NEVER } from './time.js';
import { armRetransmit, userTimeoutMs, watchIdleness, watchPatience } from './timers.js';
import { persist, repeat, sendOne, splitRecord, transmit } from './transmit.js';

type Expiry = (block: ControlBlock, step: Step) => void;

/** In the order in which timers that are due at once are served: what ends the connection first. */
const EXPIRIES: readonly (readonly [TimerName, Expiry])[] = [
  ['linger', freed],
  // "If the user timeout expires, flush all queues, signal the user 'error: connection aborted due to user timeout', … CLOSED".
  ['userTimeout', (block, step) => failed(block, step, 'ETIMEDOUT')],
  ['delayedAck', (block) => (block.ackOwed = 'now')],
  ['reorder', reorder],
  ['tailLossProbe', probeTail],
  ['retransmit', retransmit],
  ['persist', persist],
  ['keepAlive', keepAlive],
  ['mtuRaise', raiseMtu],
];

/** Serves all timers that are due. */
export function expire(block: ControlBlock, step: Step): void {
  for (const [name, expiry] of EXPIRIES) {
    if (block.timers[name] > step.nowNs) continue;
    block.timers[name] = NEVER;
    expiry(block, step);
    if (block.state === 'CLOSED') return;
  }
  transmit(block, step);
  watchPatience(block, step.nowNs);
  watchIdleness(block);
}

/** "RETRANSMISSION TIMEOUT: send the segment at the front of the retransmission queue again, reinitialize the retransmission timer". */
function retransmit(block: ControlBlock, step: Step): void {
  if (block.sent.count === 0) return;
  if (block.retries >= mostRetries(block)) {
    failed(block, step, softErrorOf(block) ?? 'ETIMEDOUT');
    return;
  }
  block.counts.timeouts += 1;
  // A shut window is no sign of congestion (section 3.8.6.1): the octet before it is a probe, and goes alone.
  const isProbing = block.sndWnd === 0 && isSynchronized(block.state);
  if (!isProbing) timedOut(block, step.nowNs);
  block.retries += 1;
  block.rtt.backoff += 1;
  suspectBlackHole(block);
  repeat(block, step, 0);
  if (block.retries === block.settings.troubledRetries)
    step.notices.push({ kind: 'troubled', retries: block.retries });
}

/** R2 of section 3.8.3, as a number of repeats; who has a user timeout relies on that. */
function mostRetries(block: ControlBlock): number {
  const { settings, state } = block;
  if (state === 'SYN-SENT') return settings.synRetries;
  if (state === 'SYN-RECEIVED') return settings.synAckRetries;
  if (userTimeoutMs(block) > 0) return Number.POSITIVE_INFINITY;
  return block.isHeld ? settings.dataRetries : Math.min(settings.orphanRetries, settings.dataRetries);
}

const SOFT = ['EHOSTUNREACH', 'ENETUNREACH', 'EPROTO', 'ECONNREFUSED'] as const;

/** RFC 9293 section 3.9.2.2: what ICMP said meanwhile is the better explanation. */
const softErrorOf = ({ softError }: ControlBlock): (typeof SOFT)[number] | undefined =>
  SOFT.find((each) => each === softError);

/** RFC 8985 section 6.3. */
function reorder(block: ControlBlock, step: Step): void {
  if (rackDetectsLoss(block, step.nowNs)) beginFastRecovery(block);
}

/** RFC 8985 section 7.3: new data if there is some and the window takes it, else the last segment again. */
function probeTail(block: ControlBlock, step: Step): void {
  const { tail, sent } = block;
  if (tail.isUnderway || sent.count === 0) return;
  const before = block.sndNxt;
  if (unsentOctets(block) > 0) sendOne(block, step);
  tail.isUnderway = true;
  tail.isRetransmission = block.sndNxt === before;
  if (tail.isRetransmission) {
    const last = sent.last;
    const most = effectiveMss(block);
    if (last !== undefined) splitRecord(block, sent.count - 1, last.length - most);
    repeat(block, step, sent.count - 1);
  }
  tail.endSeq = block.sndNxt;
  block.timers.tailLossProbe = NEVER;
  armRetransmit(block, step.nowNs);
}

/** Section 3.8.4: <SEQ=SND.NXT-1>, which the other side has acknowledged and must answer. */
function keepAlive(block: ControlBlock, step: Step): void {
  const { settings, keepAlives, lastReceivedNs } = block;
  const silentNs = step.nowNs - lastReceivedNs;
  const patienceNs = fromMs(settings.userTimeoutMs);
  const isOver =
    patienceNs > 0 ? keepAlives > 0 && silentNs >= patienceNs : keepAlives >= settings.keepAliveProbes;
  if (isOver) {
    failed(block, step, softErrorOf(block) ?? 'ETIMEDOUT');
    return;
  }
  block.keepAlives += 1;
  emit(block, step, { seq: seqAdd(block.sndNxt, -1), flags: FLAG.ACK });
  block.timers.keepAlive = nextKeepAliveNs(block, step.nowNs);
}

function nextKeepAliveNs({ settings, lastReceivedNs }: ControlBlock, nowNs: Nanos): Nanos {
  const nextNs = nowNs + fromMs(settings.keepAliveIntervalMs);
  const endNs = lastReceivedNs + fromMs(settings.userTimeoutMs);
  return settings.userTimeoutMs > 0 && endNs > nowNs ? Math.min(nextNs, endNs) : nextNs;
}
