/**
 * A trace without what a stack draws at random: ISNs, ports, the origin of timestamps, IP identifications and flow labels, and
 * the checksums over them. Two runs in virtual time must agree in everything else, stamps to the nanosecond included.
 */
import {
  flagsText,
  type Segment,
  type SegmentEvent,
  type Side,
  type TcpOption,
  type Trace,
  type TraceEvent,
} from '../../harness/index.js';

/** Ports from here on are a stack's own choice (RFC 6335: 49152; Linux: 32768). */
const EPHEMERAL_PORT = 32_768;
const PORT_FIELDS: ReadonlySet<string> = new Set(['port', 'fromPort', 'value']);
/** Of kernel objects, and what the wire's record repeats of the packet. */
const LEFT_OUT: ReadonlySet<string> = new Set(['cookie', 'packet', 'segment']);

/** One line an event, in the trace's order. */
export function canonicalLines(trace: Trace): readonly string[] {
  const names = new Names();
  const sides = new Map(trace.endpoints.map(({ ip, side }) => [ip, side]));
  return trace.events.map((event) =>
    // Labs that are side by side have addresses of their own.
    `${event.atNs} ${event.kind} ${lineOf(event, names)}`.replace(
      /(?<="|from )[0-9a-f.:]+(?="| port)/g,
      (text) => sides.get(text) ?? text,
    ),
  );
}

function lineOf(event: TraceEvent, names: Names): string {
  const rest = JSON.stringify(event, (key, value: unknown) => {
    if (LEFT_OUT.has(key)) return undefined;
    return PORT_FIELDS.has(key) ? names.portOf(value) : value;
  });
  return event.kind === 'segment' ? `${segmentText(event, names)} ${rest}` : rest;
}

function segmentText(event: SegmentEvent, names: Names): string {
  const { segment, facts, from, packet } = event;
  if (segment === undefined || facts === undefined) return `${packet.length} octets that are no TCP`;
  const { srcPort, dstPort, flags, window, urgentPointer, payload } = segment;
  const options = segment.options.map((option) =>
    names.optionText(option, segment, { from, flow: facts.flow }),
  );
  return [
    `${names.portOf(srcPort)}>${names.portOf(dstPort)}`,
    flagsText(flags),
    `seq=${facts.relSeq} ack=${facts.relAck} win=${window} urg=${urgentPointer} ttl=${segment.ip.ttl}`,
    options.join(','),
    Buffer.from(payload).toString('base64'),
  ].join(' ');
}

/** What was drawn at random, by the order in which it appears. */
class Names {
  readonly #ports = new Map<number, string>();
  readonly #firstTimestamps = new Map<string, number>();

  portOf(value: unknown): unknown {
    // An accepted socket's remark ends with the port that it came from.
    if (typeof value === 'string')
      return value.replace(/(?<=port )\d+$/, (port) => String(this.portOf(Number(port))));
    if (typeof value !== 'number' || value < EPHEMERAL_PORT || value > 0xffff) return value;
    const known = this.#ports.get(value) ?? `port ${this.#ports.size + 1}`;
    this.#ports.set(value, known);
    return known;
  }

  optionText(option: TcpOption, segment: Segment, of: { from: Side; flow: number }): string {
    switch (option.kind) {
      case 'timestamps': {
        const other: Side = of.from === 'client' ? 'server' : 'client';
        const val = this.#sinceFirst(option.tsVal, of.from, of.flow);
        const ecr = option.tsEcr === 0 ? 0 : this.#sinceFirst(option.tsEcr, other, of.flow);
        return `timestamps ${val} ${ecr}`;
      }
      case 'sack':
        return `sack ${option.blocks.map(({ left, right }) => `${left - segment.ack}-${right - segment.ack}`).join(' ')}`;
      case 'fastOpen':
        return `fastOpen ${option.cookie.length}`;
      default:
        return JSON.stringify(option);
    }
  }

  #sinceFirst(timestamp: number, side: Side, flow: number): number {
    const key = `${side} ${flow}`;
    const first = this.#firstTimestamps.get(key) ?? timestamp;
    this.#firstTimestamps.set(key, first);
    return (timestamp - first) | 0;
  }
}
