/** Text as people type it on a command line, where they cannot type the end of a line: `GET / HTTP/1.0\r\n\r\n`. Pure. */

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', '0': '\0', '\\': '\\' };

/** The octets that are meant. Throws a RangeError for an escape that there is not. */
export function octetsOf(text: string): Uint8Array {
  const parts = text.split(/(\\x[0-9A-Fa-f]{2}|\\[\s\S]?)/);
  return Buffer.concat(parts.map(partOctets));
}

function partOctets(part: string): Uint8Array {
  if (!part.startsWith('\\')) return Buffer.from(part, 'utf8');
  if (/^\\x..$/.test(part)) return Uint8Array.of(Number.parseInt(part.slice(2), 16));
  const meant = ESCAPES[part.slice(1)];
  if (meant === undefined)
    throw new RangeError(
      `"${part}" is no escape: there is \\r, \\n, \\t, \\0, \\\\ and \\xHH for the octet HH`,
    );
  return Buffer.from(meant, 'latin1');
}
