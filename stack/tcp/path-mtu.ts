/**
 * The path's MTU: what routers tell by ICMP (RFC 1191, RFC 8201), and what the stack finds out by itself, which needs no ICMP (packetization
 * layer path MTU discovery, RFC 4821). Sizes are octets of IP packet.
 */
import type { ControlBlock } from './control-block.js';
import { readdress } from './ip-headers.js';
import type { SentRecord } from './sent-list.js';
import { effectiveMss, pipeOctets } from './sizes.js';
import { fromMs, type Nanos, NEVER } from './time.js';

/** RFC 791 and RFC 8200 section 5: what every path takes; no ICMP message is believed below. */
export const leastMtu = ({ ip }: Pick<ControlBlock, 'ip'>): number => (ip.version === 4 ? 576 : 1280);

/** RFC 4821 section 7.2: where the search begins: 1024 octets of data. */
const FIRST_PROBED_MSS = 1024;
/** It ends when no more than this can be gained (section 7.3). */
const CLOSE_ENOUGH = 32;
/** Section 7.3: a path may have become larger after this; RFC 8201 section 5.3 says 10 minutes. */
const RAISE_AFTER_MS = 600_000;
/** Section 7.7: so many time-outs in a row of a full segment make a black hole likely. */
const BLACK_HOLE_TIMEOUTS = 2;

/** Begins the search when a connection is established, where the setting says so. */
export function beginMtuSearch(block: ControlBlock): void {
  if (block.settings.pathMtuDiscovery !== 'probe') return;
  const headers = block.ipHeaderOctets + 20;
  const first = Math.max(leastMtu(block), FIRST_PROBED_MSS + headers);
  const most = Math.min(block.linkMtu, block.peerMss + headers);
  block.pathMtu = Math.min(block.pathMtu, first, most);
  block.pmtu = { low: block.pathMtu, high: most };
}

/** The packet size of a probe to be sent now, of which `available` octets of data are at hand; 0: none. */
export function mtuProbeOctets(block: ControlBlock, available: number): number {
  const { low, high } = block.pmtu;
  if (high - low <= CLOSE_ENOUGH || block.recovery.kind !== 'none' || block.recovery.marked > 0) return 0;
  for (let i = 0; i < block.sent.count; i += 1) if ((block.sent.at(i)?.mtuProbe ?? 0) > 0) return 0;
  // The largest first: most paths have the MTU of their links (section 7.3).
  const size = low === block.pathMtu && high === firstHigh(block) ? high : Math.ceil((low + high) / 2);
  const data = effectiveMss(block) + size - block.pathMtu;
  // Section 7.4: enough must follow for the loss to be noticed by duplicate ACKs, and room for it.
  const following = 3 * effectiveMss(block);
  const isRoom = block.congestion.cwnd - pipeOctets(block) >= data + following;
  return isRoom && available >= data + following ? size : 0;
}

const firstHigh = ({ linkMtu, peerMss, ipHeaderOctets }: ControlBlock): number =>
  Math.min(linkMtu, peerMss + ipHeaderOctets + 20);

/** Section 7.6.1: the path takes this. */
export function mtuProbeArrived(block: ControlBlock, { mtuProbe }: SentRecord, nowNs: Nanos): void {
  block.pmtu.low = Math.max(block.pmtu.low, mtuProbe);
  block.pathMtu = block.pmtu.low;
  finishSearch(block, nowNs);
}

/** Section 7.6.2: no sign of congestion; the data goes again in smaller segments. */
export function mtuProbeLost(block: ControlBlock, record: SentRecord, nowNs: Nanos): void {
  block.pmtu.high = Math.min(block.pmtu.high, record.mtuProbe - 1);
  record.mtuProbe = 0;
  finishSearch(block, nowNs);
}

function finishSearch(block: ControlBlock, nowNs: Nanos): void {
  const { low, high } = block.pmtu;
  if (high - low <= CLOSE_ENOUGH) block.timers.mtuRaise = nowNs + fromMs(RAISE_AFTER_MS);
}

/** The path may have changed for the better: the search goes on up to the link's MTU. */
export function raiseMtu(block: ControlBlock): void {
  block.timers.mtuRaise = NEVER;
  if (block.settings.pathMtuDiscovery === 'probe') {
    block.pmtu = { low: block.pathMtu, high: firstHigh(block) };
    return;
  }
  block.pathMtu = block.linkMtu;
  block.allowsFragments = false;
  readdress(block);
}

/** A full segment timed out again and again while the connection was fine: the path may swallow what is that large. */
export function suspectBlackHole(block: ControlBlock): void {
  const { settings, retries, sent, pmtu } = block;
  if (settings.pathMtuDiscovery !== 'probe' || retries < BLACK_HOLE_TIMEOUTS) return;
  // What every path takes was not lost for its size; what is larger may be, though larger ones have passed before.
  const size = (sent.first?.length ?? 0) + block.pathMtu - effectiveMss(block);
  if (size <= leastMtu(block)) return;
  const next = Math.max(leastMtu(block), Math.floor(Math.min(size, block.pathMtu) / 2));
  if (next >= block.pathMtu) return;
  pmtu.high = Math.min(pmtu.high, block.pathMtu);
  pmtu.low = next;
  block.pathMtu = next;
}

/** ICMP says that a packet was too big. Returns whether that changed anything. */
export function lowerMtu(block: ControlBlock, told: number, nowNs: Nanos): boolean {
  if (block.settings.pathMtuDiscovery === 'off') return false;
  const least = leastMtu(block);
  // RFC 8201 section 4: no IPv6 link is smaller.
  if (told < least && block.ip.version === 6) return false;
  // RFC 1191 section 3: never above what was believed. Who forges smaller ones must not make headers all that is sent (RFC 5927
  // section 7): where an IPv4 path takes less than every host must, routers may fragment.
  const mtu = Math.max(told, least);
  if (told < least && !block.allowsFragments) {
    block.allowsFragments = true;
    readdress(block);
  } else if (mtu >= block.pathMtu) return false;
  block.pathMtu = Math.min(mtu, block.pathMtu);
  if (block.pmtu.high > 0) {
    block.pmtu.high = Math.max(Math.min(block.pmtu.high, mtu), block.pmtu.low);
    block.pmtu.low = Math.min(block.pmtu.low, mtu);
  }
  block.timers.mtuRaise = nowNs + fromMs(RAISE_AFTER_MS);
  return true;
}
