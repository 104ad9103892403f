/** Rules for each single segment that a stack sends. Where a rule has nothing to say of a trace it informs. */

import {
  decode,
  FLAG,
  hasFlags,
  option,
  optionsLength,
  type Segment,
  type TcpOption,
} from '../segment/index.js';
import { segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeEvents, changeSegments, corruptPacket } from './alter.js';
import type { Check } from './check.js';
import { check, fails, informs, neededSome, passes } from './define.js';
import { asDelivered, givenTo, plural } from './look.js';

export const ownSegments = (trace: Trace) => segmentsOf(trace, { origin: 'endpoint' });
const someOwn = (trace: Trace) => neededSome(ownSegments(trace), 'no stack sent a segment');

/** A rule on each segment that a stack sends. */
function onEverySegment(spec: {
  id: string;
  sentence: string;
  requirements: readonly string[];
  /** What is wrong with the segment; undefined when nothing is. */
  wrong(event: TcpEvent): string | undefined;
  mutate(trace: Trace, segments: readonly [TcpEvent, ...TcpEvent[]]): Trace;
}): Check {
  return check({
    id: spec.id,
    sentence: spec.sentence,
    requirements: spec.requirements,
    judge(trace) {
      const own = ownSegments(trace);
      if (own.length === 0) return informs('no stack sent a segment');
      for (const event of own) {
        const wrong = spec.wrong(event);
        if (wrong !== undefined)
          return fails(`segment ${event.id} of the ${event.facts.from}: ${wrong}`, [event]);
      }
      return passes(plural(own.length, 'segment'));
    },
    mutate: (trace) => spec.mutate(trace, someOwn(trace)),
  });
}

export const checksumsRight = onEverySegment({
  id: 'checksums-right',
  sentence: 'Every segment has a right checksum.',
  requirements: ['MUST-2'],
  wrong({ packet }) {
    const decoded = decode(packet);
    return decoded.kind === 'segment' && !decoded.checksumOk.tcp ? 'wrong TCP checksum' : undefined;
  },
  mutate: (trace, [first]) => corruptPacket(trace, [first]),
});

/** A segment without SYN that carries an option; the first of the trace is as good as any. */
const asAckWith = (trace: Trace, event: TcpEvent, added: TcpOption): Trace =>
  changeSegments(trace, [event], () => ({ flags: FLAG.ACK, options: [added] }));

export const mssOnlyOnSyn = onEverySegment({
  id: 'mss-only-on-syn',
  sentence: 'The MSS option is on segments with SYN only.',
  requirements: ['MUST-65'],
  wrong: ({ segment }) =>
    !hasFlags(segment, FLAG.SYN) && option(segment, 'mss') !== undefined
      ? 'MSS option without SYN'
      : undefined,
  mutate: (trace, [first]) => asAckWith(trace, first, { kind: 'mss', mss: 1460 }),
});

export const sackPermittedOnlyOnSyn = onEverySegment({
  id: 'sack-permitted-only-on-syn',
  sentence: 'The SACK-permitted option is on segments with SYN only.',
  requirements: ['R2018-01'],
  wrong: ({ segment }) =>
    !hasFlags(segment, FLAG.SYN) && option(segment, 'sackPermitted') !== undefined
      ? 'SACK-permitted option without SYN'
      : undefined,
  mutate: (trace, [first]) => asAckWith(trace, first, { kind: 'sackPermitted' }),
});

export const optionsReadable = onEverySegment({
  id: 'options-readable',
  sentence: 'Every option but EOL and NOP has a length, and all end within the header.',
  requirements: ['MUST-68', 'MUST-69'],
  wrong: ({ segment }) => segment.optionsProblem?.what,
  mutate: (trace, [first]) =>
    changeEvents(trace, [first], (event) => ({
      ...event,
      segment: {
        ...event.segment,
        optionsProblem: { layer: 'option', at: 40, what: 'an option of length 0', rest: new Uint8Array(4) },
      },
    })),
});

/** RFC 9293 section 3.1 and the checks of 3.10.7: what no stack sends. */
function illegalFlags({ flags, payload }: Segment): string | undefined {
  const has = (bit: number) => (flags & bit) !== 0;
  const kinds = [FLAG.SYN, FLAG.FIN, FLAG.RST].filter(has).length;
  if (kinds > 1) return 'more than one of SYN, FIN and RST';
  if (has(FLAG.ACK) || has(FLAG.SYN) || has(FLAG.RST)) return undefined;
  return payload.length > 0 || has(FLAG.FIN) ? 'data or FIN without ACK' : 'none of SYN, ACK and RST';
}

export const flagsLegal = onEverySegment({
  id: 'flags-legal',
  sentence: 'A segment has one of SYN, FIN and RST at most, and ACK unless it is a first SYN or a RST.',
  requirements: ['NOID-23', 'NOID-06'],
  wrong: ({ segment }) => illegalFlags(segment),
  mutate: (trace, [first]) => changeSegments(trace, [first], () => ({ flags: FLAG.SYN | FLAG.FIN })),
});

export const localAddressConstant = check({
  id: 'local-address-constant',
  sentence: 'All segments of a connection come from the same local address.',
  requirements: ['MUST-45'],
  judge(trace) {
    const own = ownSegments(trace);
    if (own.length === 0) return informs('no stack sent a segment');
    const addresses = new Map(trace.endpoints.map(({ side, ip }) => [side, ip]));
    const other = own.find(
      ({ segment, facts }) => segment.ip.src !== (addresses.get(facts.from) ?? segment.ip.src),
    );
    if (other === undefined) return passes([...addresses.values()].join(' and '));
    return fails(`a segment of the ${other.facts.from} from ${other.segment.ip.src}`, [other]);
  },
  mutate(trace) {
    const [first] = someOwn(trace);
    const src = first.segment.ip.version === 4 ? '198.51.100.9' : '2001:db8::9';
    return changeSegments(trace, [first], ({ ip }) => ({ ip: { ...ip, src } }));
  },
});

/** RFC 9293 section 3.7.1: data fits into the other side's MSS, less the options it shares the header with. */
export const mssKept = check({
  id: 'mss-kept',
  sentence: "No segment is larger than the other side's MSS allows.",
  requirements: ['MUST-16'],
  judge(trace) {
    const loaded = ownSegments(trace).filter(({ segment }) => segment.payload.length > 0);
    if (loaded.length === 0) return informs('no data was sent');
    for (const event of loaded) {
      const limit = mssGiven(trace, event);
      if (limit !== undefined && event.segment.payload.length > limit)
        return fails(`${event.segment.payload.length} octets of data, and the MSS leaves room for ${limit}`, [
          event,
        ]);
    }
    const most = Math.max(...loaded.map(({ segment }) => segment.payload.length));
    return passes(`${plural(loaded.length, 'segment')} with data, ${most} octets at most`);
  },
  mutate(trace) {
    const [first] = neededSome(
      ownSegments(trace).filter(({ segment }) => segment.payload.length > 0),
      'no data was sent',
    );
    return changeSegments(trace, [first], () => ({ payload: new Uint8Array(60_000) }));
  },
});

/** 536 and 1220 are what is assumed without the option (MUST-15). */
function mssGiven(trace: Trace, { facts, segment }: TcpEvent): number | undefined {
  const syn = givenTo(trace, facts.from, facts.flow).find((event) => hasFlags(event.segment, FLAG.SYN));
  const given = syn === undefined ? undefined : asDelivered(syn);
  if (given === undefined) return undefined;
  const mss = option(given, 'mss')?.mss ?? (segment.ip.version === 4 ? 536 : 1220);
  // In words of four octets, as the header counts them.
  return mss - 4 * Math.ceil(optionsLength(segment.options) / 4);
}
