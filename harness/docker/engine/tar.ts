/** Files as a tar archive (POSIX ustar), which is how the engine takes them. Regular files only. */

export interface PlacedFile {
  /** Absolute, in the container. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Of permission, such as 0o755. */
  readonly mode: number;
}

const BLOCK = 512;
const LONGEST_NAME = 100;
const LONGEST_PREFIX = 155;

export function tar(files: readonly PlacedFile[]): Buffer {
  const parts = files.flatMap(({ path, content, mode }) => [
    header(path.replace(/^\/+/, ''), content.length, mode),
    Buffer.from(content),
    Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(path: string, length: number, mode: number): Buffer {
  const { name, prefix } = split(path);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, size: number): void => {
    block.write(`${value.toString(8).padStart(size - 1, '0')}\0`, at, 'latin1');
  };
  block.write(name, 0, 'utf8');
  octal(mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(length, 124, 12);
  octal(0, 136, 12);
  block.write('        0', 148, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 'utf8');
  // With its own eight octets as blanks.
  const sum = block.reduce((total, octet) => total + octet, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A long path is cut at a slash into the two fields that there are for it. */
function split(path: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(path) <= LONGEST_NAME) return { name: path, prefix: '' };
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= LONGEST_PREFIX && Buffer.byteLength(name) <= LONGEST_NAME)
      return { name, prefix };
  }
  throw new RangeError(`the path /${path} is too long for a tar archive: choose a shorter one`);
}
