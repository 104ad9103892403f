/** RACK-TLP, RFC 8985: losses by time, and a probe for those at the tail. */
import { type SeqNumber, seqGeq, seqGt, seqLt } from '../../harness/segment/index.js';
import type { ControlBlock, Rack } from './control-block.js';
import { mtuProbeLost } from './path-mtu.js';
import { currentRtoNs } from './round-trip.js';
import { endOf, type SentRecord } from './sent-list.js';
import { fromMs, type Nanos, NEVER } from './time.js';

const DUP_THRESH = 3;
/** Section 7.2: the most that the other side delays an ACK. */
const WORST_ACK_DELAY_MS = 200;
/** Section 6.2 step 4. */
const REO_WND_PERSIST = 16;

export const noRack = (iss: SeqNumber): Rack => ({
  sentNs: -1,
  endSeq: iss,
  order: 0,
  rttNs: 0,
  hasSeenReordering: false,
  fack: iss,
  reoWndMult: 1,
  reoWndPersist: REO_WND_PERSIST,
  dsackRound: iss,
  hasDsackRound: false,
});

/**
 * RACK_sent_after of section 6.1. The RFC orders what left at the same time by its numbers; what was sent again then, behind new data, would
 * be taken for lost once more as soon as that data has arrived.
 */
function isSentAfter(a: Transmission, b: Transmission): boolean {
  if (a.sentNs !== b.sentNs) return a.sentNs > b.sentNs;
  return a.order === b.order ? seqGt(a.endSeq, b.endSeq) : a.order > b.order;
}

type Transmission = Pick<Rack, 'sentNs' | 'endSeq' | 'order'>;

/** Steps 1 to 3 of section 6.2, for a record that was delivered. */
export function rackDelivered(block: ControlBlock, record: SentRecord, nowNs: Nanos): void {
  const { rack, rtt } = block;
  const end = endOf(record);
  const rttNs = nowNs - record.sentNs;
  // Step 2: so soon after it was sent again, the first one must have arrived.
  if (record.transmissions > 1 && rttNs < rtt.minNs) return;
  const { sentNs, order } = record;
  if (isSentAfter({ sentNs, order, endSeq: end }, rack)) {
    rack.sentNs = sentNs;
    rack.order = order;
    rack.endSeq = end;
    rack.rttNs = rttNs;
  }
  if (seqGt(end, rack.fack)) rack.fack = end;
  else if (seqLt(end, rack.fack) && record.transmissions === 1) rack.hasSeenReordering = true;
}

/** Step 4, the part for DSACK: reordering is wider than was thought. Once a round trip. */
export function rackSawDuplicate(block: ControlBlock): void {
  const { rack } = block;
  if (rack.hasDsackRound && seqLt(block.sndUna, rack.dsackRound)) return;
  rack.hasDsackRound = true;
  rack.dsackRound = block.sndNxt;
  rack.reoWndMult += 1;
  rack.reoWndPersist = REO_WND_PERSIST;
}

/** A recovery has ended: the widened window is forgotten in time. */
export function rackRecovered({ rack }: ControlBlock): void {
  rack.reoWndPersist -= 1;
  if (rack.reoWndPersist > 0) return;
  rack.reoWndPersist = REO_WND_PERSIST;
  rack.reoWndMult = 1;
}

function reorderingWindowNs(block: ControlBlock): Nanos {
  const { rack, rtt, recovery } = block;
  if (!rack.hasSeenReordering && (recovery.kind !== 'none' || sackedCount(block) >= DUP_THRESH)) return 0;
  return Math.min((rack.reoWndMult * rtt.minNs) / 4, rtt.srttNs);
}

function sackedCount({ sent }: ControlBlock): number {
  let count = 0;
  for (let i = 0; i < sent.count; i += 1) if (sent.at(i)?.isSacked === true) count += 1;
  return count;
}

/**
 * Step 5: what was sent so much earlier than something that has arrived is lost. Marks it, arms the timer for what may turn out so,
 * and returns whether anything was found that congestion may explain.
 */
export function rackDetectsLoss(block: ControlBlock, nowNs: Nanos): boolean {
  const { rack, sent } = block;
  block.timers.reorder = NEVER;
  if (rack.sentNs < 0) return false;
  const windowNs = reorderingWindowNs(block);
  let isCongestion = false;
  let laterNs = 0;
  for (let i = 0; i < sent.count; i += 1) {
    const record = sent.at(i);
    if (record === undefined || record.isSacked || record.isLost) continue;
    const { sentNs, order } = record;
    if (!isSentAfter(rack, { sentNs, order, endSeq: endOf(record) })) continue;
    const remainsNs = record.sentNs + rack.rttNs + windowNs - nowNs;
    if (remainsNs > 0) laterNs = Math.max(laterNs, remainsNs);
    else {
      record.isLost = true;
      block.recovery.marked += 1;
      if (record.mtuProbe > 0) mtuProbeLost(block, record, nowNs);
      else isCongestion = true;
    }
  }
  if (laterNs > 0) block.timers.reorder = nowNs + laterNs;
  return isCongestion;
}

/** Section 7.2: when a probe is due, unless something is heard before. */
export function armTailLossProbe(block: ControlBlock, nowNs: Nanos): void {
  const { settings, rtt, recovery, tail, sent, timers } = block;
  timers.tailLossProbe = NEVER;
  const last = sent.last;
  if (!settings.tailLossProbe || !block.hasSack || rtt.srttNs === 0 || last === undefined) return;
  if (recovery.kind !== 'none' || recovery.marked > 0 || tail.isUnderway || block.sndWnd === 0) return;
  // A FIN alone has no data behind it that anybody waits for: RFC 6298's timer serves it.
  if (last.length === 1 && last.isFin) return;
  const alone = sent.count === 1 ? fromMs(WORST_ACK_DELAY_MS) : 0;
  const dueNs = nowNs + 2 * rtt.srttNs + alone;
  if (dueNs < nowNs + currentRtoNs(block)) timers.tailLossProbe = dueNs;
}

/** Section 7.4: an ACK came while a probe is under way. Returns whether it shows that a loss was repaired by the probe. */
export function tailLossRepaired(
  { tail }: ControlBlock,
  ack: SeqNumber,
  news: { readonly isRepeated: boolean; readonly hasDsack: boolean },
): boolean {
  if (!tail.isUnderway || !seqGeq(ack, tail.endSeq)) return false;
  if (!tail.isRetransmission || news.hasDsack) {
    tail.isUnderway = false;
    return false;
  }
  if (seqGt(ack, tail.endSeq)) {
    tail.isUnderway = false;
    return true;
  }
  if (news.isRepeated) tail.isUnderway = false;
  return false;
}
