/**
 * The stored form of a trace, version 1, as a schema. `trace.schema.json` is generated from it for other tools;
 * fields that only people read (`summary`, `fields`) are written and never read back.
 */
import { z } from 'zod';
import { TCP_STATES } from '../endpoint/index.js';
import { ROLES, SIDES } from '../fault/index.js';
import type { Certainty, Eye } from '../observe/index.js';

export const TRACE_FORMAT = 'lastack-trace';
export const TRACE_VERSION = 1;

const EYES = [
  'tracepoint',
  'sock_diag',
  'destroy',
  'tcp_info',
  'report',
  'agent',
] as const satisfies readonly Eye[];
const CERTAINTIES = ['exact', 'bounded', 'inferred'] as const satisfies readonly Certainty[];

const side = z.enum(SIDES);
const atNs = z.number().describe('Nanoseconds since the first event');
const count = z.int().nonnegative();
const packet = z.base64().describe('An IP packet');
const address = z.object({ ip: z.string(), port: count });
const scalars = z.record(z.string(), z.union([z.string(), z.number()]));

const facts = z.object({
  flow: count,
  from: side,
  roles: z.array(z.enum(ROLES)),
  copy: z.int().positive(),
  original: count,
  parts: z
    .array(z.object({ role: z.enum(ROLES), copy: z.int().positive(), original: count }))
    .exactOptional(),
  relSeq: z.int().exactOptional(),
  relAck: z.int().exactOptional(),
  len: count,
  windowOctets: count,
});

const segment = z.object({
  kind: z.literal('segment'),
  id: count,
  atNs,
  from: side,
  origin: z.enum(['endpoint', 'peer', 'fault', 'user']),
  hook: z
    .enum(['output', 'input'])
    .describe(
      "The hook that had it, on a wire of hooks: at its sender's own output, or at its receiver's input",
    )
    .exactOptional(),
  summary: z.string().describe('For people; the packet is what counts').exactOptional(),
  fields: z
    .object({
      flags: z.string(),
      seq: count,
      ack: count,
      window: count,
      len: count.describe('SEG.LEN: octets of data, and one each for SYN and FIN'),
    })
    .describe('For people and jq; the packet is what counts')
    .exactOptional(),
  facts: facts.exactOptional(),
  deliveries: z.array(z.object({ atNs, to: side, packet: packet.exactOptional() })),
  faults: z.array(z.object({ fault: z.string(), what: z.string() })),
  held: z.boolean(),
  packet,
});

const transition = z.object({
  kind: z.literal('transition'),
  atNs,
  notBeforeNs: z.number().exactOptional(),
  side,
  local: address,
  remote: address,
  from: z.enum(TCP_STATES),
  to: z.enum(TCP_STATES),
  eye: z.enum(EYES),
  certainty: z.enum(CERTAINTIES),
});

const note = z.object({
  kind: z.literal('note'),
  atNs,
  side,
  local: address,
  remote: address,
  what: z.string(),
  detail: scalars,
  eye: z.enum(EYES),
});

const call = z.object({
  kind: z.literal('call'),
  atNs,
  returnedNs: z.number(),
  side,
  call: z.string(),
  socket: count,
  args: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  result: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('ok'), value: z.union([z.string(), z.number()]).exactOptional() }),
    z.object({ kind: z.literal('data'), octets: count }),
    z.object({ kind: z.literal('end') }),
    z.object({ kind: z.literal('error'), errno: z.string() }),
    z.object({ kind: z.literal('timeout'), withinMs: z.number() }),
  ]),
});

const mark = z.object({ kind: z.literal('mark'), atNs, text: z.string() });

export const storedEvent = z.discriminatedUnion('kind', [segment, transition, note, call, mark]);

export const storedTrace = z.object({
  format: z.literal(TRACE_FORMAT),
  version: z.literal(TRACE_VERSION),
  scenario: z.string(),
  lab: z.string(),
  ipVersion: z.union([z.literal(4), z.literal(6)]),
  startedAtUnixNs: z.string().regex(/^\d+$/, 'decimal nanoseconds since 1970 expected'),
  endpoints: z.array(
    z.object({
      side,
      stack: z.string(),
      ip: z.string(),
      application: z
        .string()
        .describe('The program there, where nobody drives it: its calls are not in the trace')
        .exactOptional(),
    }),
  ),
  receipts: z.array(
    z.object({
      fault: z.string(),
      text: z.string(),
      matched: count,
      acted: count,
      arrivals: z.array(count),
    }),
  ),
  eyes: z.array(z.enum(EYES)),
  alignment: z.object({ segmentsErrorNs: z.number(), transitionsErrorNs: z.number() }),
  settings: scalars,
  events: z.array(storedEvent).describe('Ordered by atNs'),
});

export type StoredTrace = z.infer<typeof storedTrace>;
export type StoredEvent = z.infer<typeof storedEvent>;
export type StoredSegment = z.infer<typeof segment>;

/** The JSON Schema of a stored trace, for tools that know no zod. */
export function traceJsonSchema(): unknown {
  return z.toJSONSchema(storedTrace, { io: 'input' });
}
