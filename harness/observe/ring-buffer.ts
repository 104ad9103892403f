/**
 * A page of the kernel's trace ring buffer (`trace_pipe_raw`), taken apart into records. Read raw rather than as text
 * because the text rounds stamps to microseconds and leaves out which socket it was. Layout: linux/ring_buffer.h and
 * events/header_page of tracefs.
 */

export interface RawRecord {
  /** On the buffer's clock, in nanoseconds. */
  readonly stampNs: bigint;
  /** The event's fields, `common_type` first. */
  readonly data: DataView;
}

export interface RawPage {
  readonly records: readonly RawRecord[];
  /** The kernel overwrote events before this page could be read. */
  readonly lostBefore: boolean;
}

const HEADER_OCTETS = 16;
/** The low bits of `commit`: octets of data. RB_MISSED_EVENTS is bit 31. */
const COMMIT_MASK = 0xfffff;
const MISSED_EVENTS = 0x80000000;
const TYPE_PADDING = 29;
const TYPE_TIME_EXTEND = 30;
const TYPE_TIME_STAMP = 31;
/** Absolute stamps have 59 bits; the rest is the page's. */
const STAMP_BITS = 59n;

export function parsePage(page: Uint8Array): RawPage {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  if (page.length < HEADER_OCTETS) return { records: [], lostBefore: false };
  const pageStampNs = view.getBigUint64(0, true);
  const commit = view.getUint32(8, true);
  const end = Math.min(page.length, HEADER_OCTETS + (commit & COMMIT_MASK));
  const records: RawRecord[] = [];
  let stampNs = pageStampNs;
  for (let at = HEADER_OCTETS; at + 4 <= end; ) {
    const header = view.getUint32(at, true);
    const type = header & 0x1f;
    const delta = header >>> 5;
    if (type === TYPE_PADDING && delta === 0) break;
    const word = at + 8 <= end ? view.getUint32(at + 4, true) : 0;
    if (type === TYPE_TIME_EXTEND || type === TYPE_TIME_STAMP) {
      const value = (BigInt(word) << 27n) + BigInt(delta);
      stampNs =
        type === TYPE_TIME_EXTEND ? stampNs + value : ((pageStampNs >> STAMP_BITS) << STAMP_BITS) | value;
      at += 8;
      continue;
    }
    // Short records have their length in words in the type; long ones, and padding, in octets in the word behind it.
    const octets = type === 0 || type === TYPE_PADDING ? word : type * 4;
    if (type !== TYPE_PADDING) {
      stampNs += BigInt(delta);
      const start = type === 0 ? at + 8 : at + 4;
      const length = Math.min(at + 4 + octets, end) - start;
      if (length <= 0) break;
      records.push({ stampNs, data: new DataView(page.buffer, page.byteOffset + start, length) });
    }
    at += 4 + octets;
  }
  return { records, lostBefore: (commit & MISSED_EVENTS) !== 0 };
}
