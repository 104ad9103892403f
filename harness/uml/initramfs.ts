/**
 * The root of a guest's files: an archive that its kernel unpacks into memory when it boots (cpio "newc", see
 * Documentation/driver-api/early-userspace/buffer-format.rst of the kernel). It holds the agent and the few nodes without
 * which a first process cannot live.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentBinary } from './agent-binary.js';
import { contentName, writeWhole } from './kept-file.js';
import { cacheFolder } from './kernel/cache.js';

interface Entry {
  /** Without a leading slash. */
  readonly name: string;
  /** Kind and permissions as in stat(2). */
  readonly mode: number;
  readonly device?: readonly [major: number, minor: number];
  readonly content?: Uint8Array;
}

const FOLDER = 0o040000;
const CHARACTER_DEVICE = 0o020000;
const REGULAR = 0o100000;

/** An archive with the agent as /init, and /dev, /proc, /sys, /dev/console, /dev/null. The same agent gives the same octets. */
export function packInitramfs(agent: Uint8Array): Uint8Array {
  const entries: readonly Entry[] = [
    { name: 'dev', mode: FOLDER | 0o755 },
    { name: 'proc', mode: FOLDER | 0o755 },
    { name: 'sys', mode: FOLDER | 0o755 },
    // The kernel opens the console before it starts the first process; devtmpfs comes too late for that.
    { name: 'dev/console', mode: CHARACTER_DEVICE | 0o600, device: [5, 1] },
    { name: 'dev/null', mode: CHARACTER_DEVICE | 0o666, device: [1, 3] },
    { name: 'init', mode: REGULAR | 0o755, content: agent },
  ];
  return Buffer.concat([
    ...entries.map((entry, index) => pack(entry, index + 1)),
    pack({ name: 'TRAILER!!!', mode: 0 }, 0),
  ]);
}

function pack({ name, mode, device = [0, 0], content = new Uint8Array() }: Entry, inode: number): Uint8Array {
  const links = (mode & FOLDER) === 0 ? 1 : 2;
  const fields = [
    inode,
    mode,
    0, // uid
    0, // gid
    links,
    0, // time of change: none, for the archive depends on nothing but the agent
    content.length,
    0, // device of the file, major and minor
    0,
    ...device,
    name.length + 1,
    0, // checksum, unused in this format
  ];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(header, 'latin1')), padded(content)]);
}

/** To a multiple of four octets. */
function padded(content: Uint8Array): Uint8Array {
  return Buffer.concat([content, Buffer.alloc(-content.length & 3)]);
}

/** The archive with this machine's agent, as a file of the cache. */
export async function initramfsFile(): Promise<string> {
  const agent = readFileSync(await agentBinary());
  const file = join(cacheFolder(), 'initramfs', `${contentName(agent)}.cpio`);
  if (!existsSync(file)) writeWhole(file, packInitramfs(agent), 0o644);
  return file;
}
