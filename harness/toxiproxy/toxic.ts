/** Toxics as plain data, and the one schema for those that come from outside: files, the command line, users' tests. */
import { z } from 'zod';
import { nearNames } from '../text/index.js';
import { attributesOf, TOXIC_KIND_NAMES, type ToxicKind } from './toxic-kinds.js';
import { ToxiproxyError } from './toxiproxy-error.js';

/** `upstream`: what goes from the client to the server; `downstream`: what goes back. */
export type Stream = 'upstream' | 'downstream';

export const STREAMS: readonly Stream[] = ['upstream', 'downstream'];

interface OnStream {
  /** Names it within its proxy (default `slow_close_downstream`). */
  readonly name?: string;
  /** Default `downstream`, as the server's own. */
  readonly stream?: Stream;
  /** The share of connections that it works on, from 0 to 1 (default 1). */
  readonly toxicity?: number;
}

/** A toxic of a proxy. */
export type StreamToxic = OnStream &
  (
    | { readonly type: 'latency'; readonly latencyMs: number; readonly jitterMs?: number }
    | { readonly type: 'bandwidth'; readonly rateKBps: number }
    | { readonly type: 'slow_close'; readonly delayMs: number }
    /** Throws all data away; 0: and never closes. */
    | { readonly type: 'timeout'; readonly timeoutMs: number }
    | { readonly type: 'reset_peer'; readonly timeoutMs?: number }
    | {
        readonly type: 'slicer';
        readonly averageOctets: number;
        readonly variationOctets?: number;
        readonly delayUs?: number;
      }
    | { readonly type: 'limit_data'; readonly octets: number }
    /** Of servers after 2.12.0. */
    | { readonly type: 'packet_loss'; readonly lossRate: number; readonly correlation?: number }
  );

/** The proxy takes no connections and ends those it has. No toxic of the server's but its proxy switched off. */
export interface Down {
  readonly type: 'down';
}

export type Toxic = StreamToxic | Down;

const MOST_MS = 24 * 3600 * 1000;

const whole = (least: number) => {
  const error = `write a whole number from ${least} to ${MOST_MS}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(MOST_MS, { error });
};

const share = (() => {
  const error = 'write a number from 0 to 1';
  return z.number({ error }).min(0, { error }).max(1, { error });
})();

const streamToxicSchema = (kind: ToxicKind) =>
  z.strictObject({
    type: z.literal(kind),
    name: z.exactOptional(z.string().min(1, { error: 'write some text' })),
    stream: z.exactOptional(z.enum(['upstream', 'downstream'], { error: 'write upstream or downstream' })),
    toxicity: z.exactOptional(share),
    ...Object.fromEntries(
      attributesOf(kind).map(({ name, unit, least, otherwise }) => {
        const schema = unit === 'share' ? share : whole(least);
        return [name, otherwise === undefined ? schema : z.exactOptional(schema)];
      }),
    ),
  });

export const TOXIC_NAMES: readonly string[] = [...TOXIC_KIND_NAMES, 'down'];

const SCHEMAS = new Map<string, z.ZodType>([
  ...TOXIC_KIND_NAMES.map((kind) => [kind, streamToxicSchema(kind)] as const),
  ['down', z.strictObject({ type: z.literal('down') })],
]);

/** A toxic from data of outside. `where` names its place for the error, such as `toxics[0]`. */
export function readToxic(data: unknown, where = 'the toxic'): Toxic {
  const type = typeof data === 'object' && data !== null && 'type' in data ? data.type : undefined;
  const schema = typeof type === 'string' ? SCHEMAS.get(type) : undefined;
  if (schema === undefined) throw noSuchToxic(where, typeof type === 'string' ? type : undefined);
  const result = schema.safeParse(data);
  if (result.success) return result.data as Toxic; // the schema is made of the same table as the type
  const [issue] = result.error.issues;
  throw new ToxiproxyError('bad-toxic', `${where}: ${issueText(String(type), issue)}`);
}

export function noSuchToxic(where: string, type: string | undefined): ToxiproxyError {
  if (type === undefined)
    return new ToxiproxyError(
      'bad-toxic',
      `${where}: write an object whose "type" is one of ${TOXIC_NAMES.join(', ')}`,
    );
  const guess = nearNames(type, TOXIC_NAMES)[0];
  const hint = guess === undefined ? `write one of ${TOXIC_NAMES.join(', ')}` : `did you mean "${guess}"?`;
  return new ToxiproxyError('bad-toxic', `${where}: there is no toxic "${type}": ${hint}`);
}

function issueText(type: string, issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'it is no toxic';
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = type === 'down' ? [] : ['name', 'stream', 'toxicity', ...namesOf(type)];
    const guess = nearNames(issue.keys[0] ?? '', known)[0];
    const hint =
      guess === undefined
        ? `it has ${known.join(', ') || 'nothing but its type'}`
        : `did you mean "${guess}"?`;
    return `${type} has no "${issue.keys[0]}": ${hint}`;
  }
  return `${path} of ${type}: ${issue.message}`;
}

const namesOf = (type: string): readonly string[] =>
  TOXIC_KIND_NAMES.filter((kind) => kind === type).flatMap((kind) =>
    attributesOf(kind).map(({ name }) => name),
  );

export const streamOf = ({ stream = 'downstream' }: StreamToxic): Stream => stream;

/** What the server calls it where nobody gave it a name (toxic_collection.go, AddToxicJson). */
export const nameOf = (toxic: StreamToxic): string => toxic.name ?? `${toxic.type}_${streamOf(toxic)}`;

/** As the server's API wants it. */
export function toServer(toxic: StreamToxic): Readonly<Record<string, unknown>> {
  const given = new Map<string, unknown>(Object.entries(toxic));
  const attributes = attributesOf(toxic.type).map(({ name, wire, otherwise }) => [
    wire,
    given.get(name) ?? otherwise,
  ]);
  return {
    name: nameOf(toxic),
    type: toxic.type,
    stream: streamOf(toxic),
    toxicity: toxic.toxicity ?? 1,
    attributes: Object.fromEntries(attributes),
  };
}
