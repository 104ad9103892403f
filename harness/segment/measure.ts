/** What can be read off a segment without its connection. */
import { FLAG, type OptionKind, type Segment, type TcpOption } from './segment.js';

/** SEG.LEN of RFC 9293 section 3.3.1: the octets of data, and one each for SYN and FIN. */
export function segLen({ flags, payload }: Pick<Segment, 'flags' | 'payload'>): number {
  return payload.length + ((flags & FLAG.SYN) === 0 ? 0 : 1) + ((flags & FLAG.FIN) === 0 ? 0 : 1);
}

/** The first option of a kind, typed: `option(segment, 'mss')?.mss`. */
export function option<K extends OptionKind>(
  segment: Pick<Segment, 'options'>,
  kind: K,
): Extract<TcpOption, { kind: K }> | undefined {
  const isKind = (candidate: TcpOption): candidate is Extract<TcpOption, { kind: K }> =>
    candidate.kind === kind;
  return segment.options.find(isKind);
}
