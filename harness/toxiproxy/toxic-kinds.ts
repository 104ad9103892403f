/**
 * The kinds of toxics and their attributes: what each is called here, in the server's JSON (`toxics/*.go`) and in a line.
 * Names here carry their unit; the server's do not.
 */

export type Unit = 'ms' | 'us' | 'octets' | 'kilobytesPerSecond' | 'share';

export interface Attribute {
  /** Its name in our data. */
  readonly name: string;
  /** In the server's JSON. */
  readonly wire: string;
  /** In a line; that of the first attribute may be left out. */
  readonly word: string;
  readonly unit: Unit;
  readonly least: number;
  /** Must be given where there is none. */
  readonly otherwise?: number;
}

const attribute = (
  [name, wire, word]: readonly [name: string, wire: string, word: string],
  unit: Unit,
  rest: { readonly least?: number; readonly otherwise?: number } = {},
): Attribute => ({ name, wire, word, unit, least: 0, ...rest });

export const TOXIC_KINDS = {
  latency: [
    attribute(['latencyMs', 'latency', 'latency'], 'ms'),
    attribute(['jitterMs', 'jitter', 'jitter'], 'ms', { otherwise: 0 }),
  ],
  // At a rate of 0 the server does not limit anything (toxics/bandwidth.go, Pipe).
  bandwidth: [attribute(['rateKBps', 'rate', 'rate'], 'kilobytesPerSecond', { least: 1 })],
  slow_close: [attribute(['delayMs', 'delay', 'delay'], 'ms')],
  timeout: [attribute(['timeoutMs', 'timeout', 'after'], 'ms')],
  reset_peer: [attribute(['timeoutMs', 'timeout', 'after'], 'ms', { otherwise: 0 })],
  // An average of 0 octets is cut for ever (toxics/slicer.go, chunk).
  slicer: [
    attribute(['averageOctets', 'average_size', 'size'], 'octets', { least: 1 }),
    attribute(['variationOctets', 'size_variation', 'variation'], 'octets', { otherwise: 0 }),
    attribute(['delayUs', 'delay', 'delay'], 'us', { otherwise: 0 }),
  ],
  limit_data: [attribute(['octets', 'bytes', 'bytes'], 'octets')],
  packet_loss: [
    attribute(['lossRate', 'loss_rate', 'rate'], 'share'),
    attribute(['correlation', 'correlation', 'correlation'], 'share', { otherwise: 0 }),
  ],
} as const satisfies Readonly<Record<string, readonly Attribute[]>>;

export type ToxicKind = keyof typeof TOXIC_KINDS;

export const TOXIC_KIND_NAMES = Object.keys(TOXIC_KINDS) as ToxicKind[]; // the keys of the table, and nothing else

export const attributesOf = (kind: ToxicKind): readonly Attribute[] => TOXIC_KINDS[kind];
