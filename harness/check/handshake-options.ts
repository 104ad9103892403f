/** What a handshake exchanges besides numbers: windows and options, and how its sequence numbers are chosen. */
import { NANOS_PER_MS } from '../clock/index.js';
import { option, type Segment, seqNumber, type TcpOption } from '../segment/index.js';
import { segmentsOf, type TcpEvent, type Trace } from '../trace/index.js';
import { changeSegments } from './alter.js';
import type { Check } from './check.js';
import { check, fails, needed, neededSome, nonStrict, passes } from './define.js';
import { asDelivered } from './look.js';
import { idOn, type OnFlow } from './on-flow.js';
import { ISN_GUESS_OCTETS, ISN_LEAST_CONNECTIONS } from './tolerances.js';

const synsOf = (trace: Trace, flow: number) =>
  neededSome(segmentsOf(trace, { flow, has: 'SYN', origin: 'endpoint' }), 'no stack sent a SYN');

const withOption = ({ options }: Segment, added: TcpOption): { options: readonly TcpOption[] } => {
  const others = options.filter(({ kind }) => kind !== 'nop' && kind !== 'eol' && kind !== added.kind);
  return { options: [...others, added] };
};

const withoutOption = ({ options }: Segment, kind: TcpOption['kind']) => ({
  options: options.filter((each) => each.kind !== kind),
});

/** The SYN as delivered, and the stack's SYN,ACK that answers it. */
function offerAndAnswer(trace: Trace, flow: number): { offer: Segment; syn: TcpEvent; answer: TcpEvent } {
  const [answer] = neededSome(
    segmentsOf(trace, { flow, role: 'syn-ack', origin: 'endpoint' }),
    'no stack sent a SYN,ACK',
  );
  const syn = needed(
    segmentsOf(trace, { flow, role: 'syn', fate: 'delivered' }).find(
      (event) => event.facts.from !== answer.facts.from,
    ),
    'no SYN was delivered',
  );
  return { offer: needed(asDelivered(syn), 'the SYN that was delivered cannot be read'), syn, answer };
}

function onlyIfOffered(spec: {
  id: string;
  flow: number;
  sentence: string;
  requirement: string;
  sample: TcpOption;
}): Check {
  const { flow, sample } = spec;
  const { kind } = sample;
  return check({
    id: idOn(spec.id, flow),
    sentence: spec.sentence,
    requirements: [spec.requirement],
    judge(trace) {
      const { offer, syn, answer } = offerAndAnswer(trace, flow);
      const has = (segment: Segment) => (option(segment, kind) === undefined ? 'without' : 'with');
      const found = `SYN ${has(offer)}, SYN,ACK ${has(answer.segment)} ${kind}`;
      return has(offer) === 'without' && has(answer.segment) === 'with'
        ? fails(found, [syn, answer])
        : passes(found, [syn, answer]);
    },
    mutate(trace) {
      const { syn, answer } = offerAndAnswer(trace, flow);
      return changeSegments(trace, [syn, answer], (segment, event) =>
        event === syn ? withoutOption(segment, kind) : withOption(withSpace(segment), sample),
      );
    },
  });
}

/** 40 octets are all there is: for a mutation the other options may go. */
const withSpace = (segment: Segment): Segment => ({ ...segment, options: [] });

export const windowScaleOnlyIfOffered = ({ flow = 1 }: OnFlow = {}): Check =>
  onlyIfOffered({
    id: 'window-scale-only-if-offered',
    flow,
    sentence: 'A SYN,ACK carries the window scale option only if the SYN did.',
    requirement: 'R7323-01',
    sample: { kind: 'windowScale', shift: 7 },
  });

export const timestampsOnlyIfOffered = ({ flow = 1 }: OnFlow = {}): Check =>
  onlyIfOffered({
    id: 'timestamps-only-if-offered',
    flow,
    sentence: 'A SYN,ACK carries the timestamps option only if the SYN did.',
    requirement: 'R7323-06',
    sample: { kind: 'timestamps', tsVal: 1, tsEcr: 1 },
  });

/** What one side says in its SYN: `window 64240, MSS 1460, scale 7, SACK permitted, timestamps`. */
function offerText({ window, options }: Segment): string {
  const words = options.flatMap((each) => {
    if (each.kind === 'mss') return [`MSS ${each.mss}`];
    if (each.kind === 'windowScale') return [`scale ${each.shift}`];
    if (each.kind === 'sackPermitted') return ['SACK permitted'];
    return each.kind === 'timestamps' ? ['timestamps'] : [];
  });
  return [`window ${window}`, ...words].join(', ');
}

/** An MSS that no segment fits, or options that end in the middle: such a SYN tells nothing. */
const isBroken = (segment: Segment): boolean =>
  segment.optionsProblem !== undefined || option(segment, 'mss')?.mss === 0;

export function windowAndOptionsExchanged({ flow = 1 }: OnFlow = {}): Check {
  return check({
    id: idOn('window-and-options-exchanged', flow),
    sentence:
      'Each SYN and SYN,ACK tells the window and, in its options, the segment size that its sender can take.',
    requirements: ['MUST-14', 'SHLD-5'],
    judge(trace) {
      const syns = synsOf(trace, flow);
      const found = syns
        .filter(({ facts }) => facts.copy === 1)
        .map(({ facts, segment }) => `${facts.from}: ${offerText(segment)}`)
        .join('; ');
      const broken = syns.find(({ segment }) => isBroken(segment));
      if (broken !== undefined)
        return fails(`${found}; the options of the ${broken.facts.from} are broken`, [broken]);
      const silent = syns.find(({ segment }) => option(segment, 'mss') === undefined);
      if (silent === undefined) return passes(found, syns);
      return nonStrict(`${found}; no MSS from the ${silent.facts.from}: 536 or 1220 is assumed`, [silent]);
    },
    mutate: (trace) =>
      changeSegments(trace, [synsOf(trace, flow)[0]], (segment) =>
        withOption(segment, { kind: 'mss', mss: 0 }),
      ),
  });
}

interface Isn {
  readonly syn: TcpEvent;
  readonly ports: string;
}

/** The first SYN of each connection that a stack opened or accepted, by side. */
function isnsOf(trace: Trace): readonly (readonly Isn[])[] {
  return (['client', 'server'] as const).map((from) => {
    const seen = new Set<string>();
    return segmentsOf(trace, { from, has: 'SYN', origin: 'endpoint' }).flatMap((syn) => {
      const ports = `${syn.segment.srcPort} ${syn.segment.dstPort}`;
      if (seen.has(ports)) return [];
      seen.add(ports);
      return [{ syn, ports }];
    });
  });
}

/** What an outsider would guess who knows the ISNs before: the same, the same step again, or the RFC's bare clock. */
function guessed(isns: readonly Isn[]): readonly TcpEvent[] {
  return isns.flatMap(({ syn }, i) => {
    const last = isns[i - 1]?.syn;
    if (last === undefined) return [];
    const before = isns[i - 2]?.syn;
    const elapsedUs = (syn.atNs - last.atNs) / (NANOS_PER_MS / 1000);
    const guesses = [last.segment.seq, last.segment.seq + Math.round(elapsedUs / 4)];
    if (before !== undefined) guesses.push(2 * last.segment.seq - before.segment.seq);
    const isHit = guesses.some((guess) => {
      const away = (syn.segment.seq - seqNumber(guess)) | 0;
      return Math.abs(away) < ISN_GUESS_OCTETS;
    });
    return isHit ? [syn] : [];
  });
}

/**
 * A chance hit of one of three guesses has a probability of 1 in 11000 for each connection: one is let pass, two are not.
 * Connections of one 4-tuple are left out: RFC 9293 section 3.4.1 wants a clock between those.
 */
export function isnsUnpredictable(): Check {
  const enough = (trace: Trace) =>
    neededSome(
      isnsOf(trace).filter((isns) => isns.length >= ISN_LEAST_CONNECTIONS),
      `fewer than ${ISN_LEAST_CONNECTIONS} connections between different ports: too few to judge their ISNs by`,
    );
  return check({
    id: 'isns-unpredictable',
    sentence:
      'The initial sequence number of a connection cannot be told from those of connections before it.',
    requirements: ['MUST-9', 'SHLD-1', 'R6528-01'],
    judge(trace) {
      const sides = enough(trace);
      const hits = sides.flatMap(guessed);
      const count = sides.reduce((sum, isns) => sum + isns.length, 0);
      const found = `${hits.length} of ${count} ISNs within ${ISN_GUESS_OCTETS} of what those before suggest`;
      return hits.length > 1
        ? fails(found, hits)
        : passes(
            found,
            sides.flatMap((isns) => isns.map(({ syn }) => syn)),
          );
    },
    mutate(trace) {
      const [isns] = enough(trace);
      const base = isns[0]?.syn.segment.seq ?? 0;
      const syns = isns.map(({ syn }) => syn);
      return changeSegments(trace, syns, (_, event) => ({
        seq: seqNumber(base + 64_000 * syns.indexOf(event)),
      }));
    },
  });
}
