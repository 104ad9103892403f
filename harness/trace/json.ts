/** Traces as JSON text, one event a line, and back without loss: a stored trace can be judged again. */

import type { z } from 'zod';
import type { FlowFacts } from '../fault/index.js';
import { flagsText, segLen } from '../segment/index.js';
import { messageOf } from '../text/index.js';
import type { Delivery } from '../wire/index.js';
import { withSegment } from './assemble.js';
import {
  type StoredEvent,
  type StoredSegment,
  type StoredTrace,
  storedTrace,
  TRACE_FORMAT,
  TRACE_VERSION,
} from './schema.js';
import type { SegmentEvent, Trace, TraceEvent } from './trace.js';
import { segmentText } from './words.js';

/** A text that is no trace of this version: says which file, where in it, and what is wrong. */
export class TraceFormatError extends Error {
  override readonly name = 'TraceFormatError';
}

export function traceToJson(trace: Trace): string {
  const { version, events, ...rest } = trace;
  const head = JSON.stringify({ format: TRACE_FORMAT, version, ...rest }, null, 2);
  const lines = events.map((event) => `    ${JSON.stringify(toStored(event))}`).join(',\n');
  return `${head.slice(0, head.lastIndexOf('\n}'))},\n  "events": [\n${lines}\n  ]\n}\n`;
}

function toStored(event: TraceEvent): StoredEvent {
  if (event.kind !== 'segment') return event satisfies TraceEvent as StoredEvent; // the same but for `readonly`
  const { kind, id, atNs, from, origin, hook, facts, deliveries, faults, held, packet } = event;
  return {
    kind,
    id,
    atNs,
    from,
    origin,
    ...(hook === undefined ? {} : { hook }),
    summary: segmentText(event),
    ...fieldsOf(event),
    ...(facts === undefined ? {} : { facts: factsToStored(facts) }),
    deliveries: deliveries.map(({ packet: altered, ...delivery }) =>
      altered === undefined ? delivery : { ...delivery, packet: toBase64(altered) },
    ),
    faults: [...faults],
    held,
    packet: toBase64(packet),
  };
}

function fieldsOf({ segment }: SegmentEvent): Pick<StoredSegment, 'fields'> {
  if (segment === undefined) return {};
  const { flags, seq, ack, window } = segment;
  return { fields: { flags: flagsText(flags), seq, ack, window, len: segLen(segment) } };
}

function factsToStored({ relSeq, relAck, parts, ...facts }: FlowFacts): NonNullable<StoredSegment['facts']> {
  return {
    ...facts,
    roles: [...facts.roles],
    ...(parts === undefined ? {} : { parts: [...parts] }),
    ...(relSeq === undefined ? {} : { relSeq }),
    ...(relAck === undefined ? {} : { relAck }),
  };
}

/** Reads what `traceToJson` wrote; throws a `TraceFormatError` that names `file`. */
export function traceFromJson(text: string, { file }: { readonly file: string }): Trace {
  const data = parse(text, file);
  const version = versionOf(data);
  if (version === undefined)
    throw new TraceFormatError(`${file} is no lastack trace: it has no "format": "lastack-trace"`);
  if (version !== TRACE_VERSION)
    throw new TraceFormatError(
      `${file} is a trace of version ${String(version)}, and this lastack reads version ${TRACE_VERSION}: use the lastack that wrote it`,
    );
  const checked = storedTrace.safeParse(data);
  if (!checked.success) throw new TraceFormatError(`${file}: ${firstIssue(checked.error)}`);
  return fromStored(checked.data);
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = messageOf(error);
    const cut = text.trimEnd().endsWith('}')
      ? ''
      : `, and ends without a closing brace: was it cut off after ${text.length} characters?`;
    throw new TraceFormatError(`${file} is not JSON (${reason})${cut}`);
  }
}

/** The version of what says that it is a trace. */
function versionOf(data: unknown): unknown {
  const isTrace =
    typeof data === 'object' && data !== null && 'format' in data && data.format === TRACE_FORMAT;
  return isTrace ? ('version' in data ? data.version : null) : undefined;
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  const path = (issue?.path ?? []).reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  );
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : '';
  return `${path === '' ? 'the trace' : path}: ${issue?.message ?? 'invalid'}${more}`;
}

function fromStored({ format: _format, events, ...rest }: StoredTrace): Trace {
  return { ...rest, events: events.map(eventFromStored) };
}

function eventFromStored(event: StoredEvent): TraceEvent {
  if (event.kind !== 'segment') return event;
  const { summary: _summary, fields: _fields, facts, deliveries, packet, ...rest } = event;
  return withSegment({
    ...rest,
    packet: fromBase64(packet),
    ...(facts === undefined ? {} : { facts: factsFromStored(facts) }),
    deliveries: deliveries.map(
      ({ packet: altered, ...delivery }): Delivery =>
        altered === undefined ? delivery : { ...delivery, packet: fromBase64(altered) },
    ),
  });
}

const factsFromStored = (facts: NonNullable<StoredSegment['facts']>): FlowFacts => ({
  ...facts,
  relSeq: facts.relSeq,
  relAck: facts.relAck,
});

const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** A copy of its own: Node's Buffer would share memory with others and is no plain Uint8Array to a comparison. */
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
