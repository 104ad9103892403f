/** The user's calls of RFC 9293 section 3.10 on a connection that there is: SEND, RECEIVE, CLOSE, ABORT. OPEN is in `open.ts`. */
import { type SeqNumber, seqAdd, seqDiff, seqGt } from '../../harness/segment/index.js';
import { type ControlBlock, sendEnd } from './control-block.js';
import { sendAck, sendReset } from './emit.js';
import { freed } from './end.js';
import { readdress } from './ip-headers.js';
import { shouldTellWindow } from './receive-window.js';
import { limitFinWait2 } from './segment-arrives.js';
import type { TcpSettings } from './settings.js';
import { maySend, receivesText } from './state.js';
import { enter, type Step } from './step.js';
import { watchIdleness, watchPatience } from './timers.js';
import { transmit } from './transmit.js';

export interface SendOptions {
  /** The last octet is urgent (section 3.8.5). */
  readonly isUrgent?: boolean;
  /** More follows at once: a segment that is not full may wait for it. */
  readonly hasMore?: boolean;
}

/** What follows each call on a connection that lives on. */
function goOn(block: ControlBlock, step: Step): void {
  if (block.state === 'CLOSED') return;
  transmit(block, step);
  watchPatience(block, step.nowNs);
  watchIdleness(block);
}

/** Settings may change while the connection lives: what was held back may go, and timers begin or end. */
export function setSettings(block: ControlBlock, step: Step, settings: Partial<TcpSettings>): void {
  block.settings = { ...block.settings, ...settings };
  if (settings.userTimeoutMs !== undefined) block.owesUserTimeout = settings.userTimeoutMs > 0;
  readdress(block);
  if (block.state !== 'LISTEN') goOn(block, step);
}

/** SEND is allowed: the connection is open, or opening, and was not closed by this side. */
export const canSend = (block: ControlBlock): boolean => maySend(block.state) && !block.isClosing;

/** SEND (section 3.10.2). Returns the octets taken: what the buffer has room for. */
export function send(block: ControlBlock, step: Step, data: Uint8Array, options: SendOptions = {}): number {
  if (!canSend(block)) return 0;
  const room = block.settings.sendBufferOctets - block.sendOctets;
  const taken = Math.max(Math.min(data.length, room), 0);
  if (taken > 0) {
    block.sendRing.write(
      block.sendOctets,
      taken === data.length ? data : data.subarray(0, taken),
      block.sendOctets,
    );
    block.sendOctets += taken;
  }
  block.hasMore = options.hasMore === true && taken === data.length;
  if (options.isUrgent === true && taken > 0) {
    // SND.UP <- SND.NXT-1, as RFC 6093 corrects it: behind the urgent octet.
    block.sndUp = sendEnd(block);
    block.isUrgent = true;
  }
  goOn(block, step);
  return taken;
}

/** RECEIVE (section 3.10.3): at most `most` octets of what is there, in order. */
export function receive(block: ControlBlock, step: Step, most: number): Uint8Array {
  const octets = Math.min(most, block.receiveOctets);
  if (octets <= 0) return NOTHING;
  const data = block.receiveRing.read(0, octets);
  skip(block, step, octets);
  return data;
}

const NOTHING = new Uint8Array(0);

/** A copy of what is there, which stays. */
export const peek = (block: ControlBlock, at: number, most: number): Uint8Array => {
  const octets = Math.min(most, block.receiveOctets - at);
  return octets <= 0 ? NOTHING : block.receiveRing.read(at, octets);
};

/** The program has taken these octets: the window may open (section 3.8.6.2.2). */
function skip(block: ControlBlock, step: Step, octets: number): void {
  block.receiveOctets -= octets;
  const last = block.early.at(-1);
  const beyond = last === undefined ? 0 : seqDiff(last.right, block.rcvNxt);
  block.receiveRing.drop(octets, block.receiveOctets + beyond);
  if (block.isUrgentReceived && !seqGt(block.rcvUp, readNext(block))) block.isUrgentReceived = false;
  if (receivesText(block.state) && shouldTellWindow(block)) sendAck(block, step);
}

/** The number of the next octet that RECEIVE gives. */
export const readNext = (block: ControlBlock): SeqNumber => {
  const fin = hasEnded(block) ? 1 : 0;
  return seqAdd(block.rcvNxt, -block.receiveOctets - fin);
};

/** The other side's FIN has come, in order. */
export const hasEnded = ({ state }: ControlBlock): boolean =>
  state === 'CLOSE-WAIT' || state === 'CLOSING' || state === 'LAST-ACK' || state === 'TIME-WAIT';

/** CLOSE (section 3.10.4): nothing more to send. The program may go on receiving. */
export function close(block: ControlBlock, step: Step): void {
  if (block.isClosing) return;
  if (block.state === 'SYN-SENT' || block.state === 'LISTEN') {
    freed(block, step);
    return;
  }
  if (!maySend(block.state)) return;
  block.isClosing = true;
  block.hasMore = false;
  // "Queue this until all preceding SENDs have been segmentized, then form a FIN segment and send it. In any case, enter FIN-WAIT-1 state."
  if (block.state === 'ESTABLISHED') enter(block, step, 'FIN-WAIT-1');
  goOn(block, step);
}

/** The program lets go of the connection: it closes, and will receive no more. */
export function release(block: ControlBlock, step: Step): void {
  if (!block.isHeld) return;
  block.isHeld = false;
  // RFC 9293 section 3.6.1 (SHLD-3) and RFC 2525 section 2.17: data that nobody has read is lost, and the other side must know.
  if (block.receiveOctets > 0 && block.state !== 'TIME-WAIT') {
    abort(block, step);
    return;
  }
  if (block.state === 'FIN-WAIT-2') limitFinWait2(block, step);
  close(block, step);
}

/** ABORT (section 3.10.5). */
export function abort(block: ControlBlock, step: Step): void {
  switch (block.state) {
    case 'SYN-RECEIVED':
    case 'ESTABLISHED':
    case 'FIN-WAIT-1':
    case 'FIN-WAIT-2':
    case 'CLOSE-WAIT':
      // "Send a reset segment: <SEQ=SND.NXT><CTL=RST>. All queued SENDs and RECEIVEs should be given 'connection reset'."
      sendReset(block, step);
      break;
    default:
    // "CLOSING, LAST-ACK, TIME-WAIT: respond with ok and delete the TCB, enter CLOSED state, and return."
  }
  freed(block, step);
}
