/** The chain of IPv6 extension headers (RFC 8200 section 4): how long it is and what stands behind it. */
import type { Problem } from './segment.js';

/** IPv6 extension headers that another header may follow (RFC 7045; AH is measured in other units). */
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION_OPTIONS = 60;

/** Offset and More Fragments: zero in an atomic fragment, which is whole (RFC 6946). */
const IPV6_FRAGMENT = 0xfff9;

const problem = (at: number, what: string): Problem => ({ layer: 'ip', at, what });

/** Follows the extension headers up to the first that is none, or to the end of a fragment header. */
export function walkExtensions(
  view: DataView,
  { nextHeader, from, to }: { readonly nextHeader: number; readonly from: number; readonly to: number },
): { protocol: number; from: number; fragment: boolean } | Problem {
  let protocol = nextHeader;
  let at = from;
  for (;;) {
    const unit = extensionUnit(protocol);
    if (unit === undefined) return { protocol, from: at, fragment: false };
    if (at + 8 > to) return problem(to, `the packet ends in the extension header (${protocol}) at ${at}`);
    const length = unit * view.getUint8(at + 1) + 8;
    if (at + length > to) {
      return problem(
        at + 1,
        `the extension header (${protocol}) has ${length} octets, of which ${to - at} came`,
      );
    }
    const isFragment = protocol === FRAGMENT && (view.getUint16(at + 2) & IPV6_FRAGMENT) !== 0;
    protocol = view.getUint8(at);
    at += length;
    if (isFragment) return { protocol, from: at, fragment: true };
  }
}

/** Octets that the length field of an extension header counts in (0: it has no such field); undefined for other protocols. */
function extensionUnit(protocol: number): number | undefined {
  switch (protocol) {
    case HOP_BY_HOP:
    case ROUTING:
    case DESTINATION_OPTIONS:
      return 8;
    case AUTHENTICATION:
      return 4;
    case FRAGMENT:
      return 0;
    default:
      return undefined;
  }
}
