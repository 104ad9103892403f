/** Makes whole segments of the partial ones that a script sends. */
import { type Clock, NANOS_PER_MS } from '../../clock/index.js';
import {
  decode,
  encode,
  FLAG,
  hasFlags,
  makeSegment,
  parseFlags,
  type Segment,
  type SeqNumber,
  seqNumber,
  type TcpOption,
} from '../../segment/index.js';
import { type OutgoingOptions, type OutgoingSegment, optionList } from './outgoing-segment.js';
import type { PeerState } from './peer-state.js';
import type { SequencePoints } from './sequence-points.js';

/** What the defaults come from. */
export interface Defaults {
  readonly src: string;
  readonly dst: string;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly window: number;
  /** The options of a SYN. */
  readonly offer: OutgoingOptions;
  /** The sequence number of the first segment. */
  readonly initial: SeqNumber;
  readonly state: PeerState;
  readonly points: SequencePoints;
  readonly clock: Clock;
}

export function buildSegment(outgoing: OutgoingSegment, defaults: Defaults): Segment {
  const { src, dst, srcPort, dstPort, window, state, points } = defaults;
  const { payload = '' } = outgoing;
  const wanted = outgoing.flags ?? (payload.length > 0 ? 'PSH,ACK' : 'ACK');
  const flags = typeof wanted === 'number' ? wanted : parseFlags(wanted);
  const defaultAck = hasFlags({ flags }, FLAG.ACK) ? (state.rcvNxt ?? 0) : 0;
  return makeSegment({
    src,
    dst,
    ...(outgoing.ip === undefined ? {} : { ip: outgoing.ip }),
    srcPort,
    dstPort,
    flags,
    seq:
      outgoing.seq === undefined
        ? (state.sndNxt ?? defaults.initial)
        : points.resolve(outgoing.seq, 'own', defaults.initial),
    ack: outgoing.ack === undefined ? defaultAck : points.resolve(outgoing.ack, 'other'),
    window: outgoing.window ?? window,
    urgentPointer: outgoing.urgentPointer ?? 0,
    options: buildOptions(outgoing.options, flags, defaults),
    payload,
  });
}

/** The packet of a segment, with the checksum that the script asked for. */
export function encodeOutgoing(segment: Segment, checksum: OutgoingSegment['checksum']): Uint8Array {
  const packet = encode(segment);
  if (checksum === undefined) return packet;
  if (checksum !== 'wrong') return encode({ ...segment, checksum }, { checksums: 'keep' });
  const sound = decode(packet);
  const right = sound.kind === 'segment' ? sound.segment.checksum : 0;
  return encode({ ...segment, checksum: right ^ 0x5555 }, { checksums: 'keep' });
}

const isList = (options: OutgoingSegment['options']): options is readonly TcpOption[] =>
  Array.isArray(options);

function buildOptions(
  options: OutgoingSegment['options'],
  flags: number,
  { offer, state, points, clock }: Defaults,
): readonly TcpOption[] | Uint8Array {
  if (options instanceof Uint8Array || isList(options)) return options;
  const isSyn = hasFlags({ flags }, FLAG.SYN);
  const hasAck = hasFlags({ flags }, FLAG.ACK);
  // RFC 7323 section 3.2: on every segment but a RST, once both SYNs had them.
  const isStamped = !isSyn && state.hasTimestamps && !hasFlags({ flags }, FLAG.RST);
  const chosen = options ?? (isSyn ? offerNow(offer, hasAck ? state.otherOffers : undefined) : {});
  return optionList(isStamped ? { timestamps: true, ...chosen } : chosen, {
    timestamps: {
      tsVal: seqNumber(Math.floor(clock.now() / NANOS_PER_MS)),
      tsEcr: hasAck ? state.tsRecent : 0,
    },
    resolve: (reference) => points.resolve(reference, 'other'),
  });
}

/** A SYN,ACK offers only what the SYN did (RFC 7323 sections 2.2 and 3.2, RFC 2018 section 2). */
function offerNow(offer: OutgoingOptions, offered: PeerState['otherOffers'] | undefined): OutgoingOptions {
  if (offered === undefined) return offer;
  const { windowScale, timestamps, sackPermitted, ...rest } = offer;
  return {
    ...rest,
    ...(windowScale !== undefined && offered.windowScale ? { windowScale } : {}),
    ...(timestamps !== undefined && offered.timestamps ? { timestamps } : {}),
    ...(sackPermitted !== undefined && offered.sackPermitted ? { sackPermitted } : {}),
  };
}
