/**
 * What a scenario leaves behind: its trace, its capture and its verdicts. Either all of them are there in full, or none:
 * each is written beside its place under another name, and renamed once all are complete.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '../text/index.js';
import { type Trace, traceToJson, traceToPcapng } from '../trace/index.js';
import type { VerdictEntry } from './verdicts.js';

/** The reports could not be written. One sentence: what, where, what to do. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
  constructor(
    message: string,
    /** The errno's name, such as ENOSPC. */
    readonly errno: string | undefined,
  ) {
    super(message);
  }
}

export interface RunFiles {
  readonly trace: string;
  readonly pcapng: string;
  readonly verdicts: string;
}

/** Writes the files of one run into `out`, which is made when it is missing, and says where they are. */
export async function writeRunFiles(
  out: string,
  run: { readonly trace: Trace; readonly verdicts: readonly VerdictEntry[] },
): Promise<RunFiles> {
  const { trace, verdicts } = run;
  const stem = join(out, `${trace.scenario.replaceAll('/', '-')}-ipv${trace.ipVersion}`);
  const files: RunFiles = {
    trace: `${stem}.trace.json`,
    pcapng: `${stem}.pcapng`,
    verdicts: `${stem}.verdicts.json`,
  };
  await writeTogether(out, [
    { path: files.trace, content: traceToJson(trace) },
    { path: files.pcapng, content: traceToPcapng(trace) },
    { path: files.verdicts, content: verdictsToJson(trace, verdicts) },
  ]);
  return files;
}

function verdictsToJson(trace: Trace, verdicts: readonly VerdictEntry[]): string {
  const { scenario, lab, ipVersion, startedAtUnixNs, endpoints, eyes } = trace;
  const about = {
    format: 'lastack-verdicts',
    version: 1,
    scenario,
    lab,
    ipVersion,
    startedAtUnixNs,
    endpoints,
    eyes,
  };
  return `${JSON.stringify({ ...about, verdicts }, null, 2)}\n`;
}

export interface FileContent {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** Puts these files into `folder` together. Throws a `ReportError`, and then leaves nothing half written. */
export async function writeTogether(folder: string, files: readonly FileContent[]): Promise<void> {
  const suffix = `.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const begun: string[] = [];
  let path = folder;
  try {
    await makeFolder(folder);
    for (const file of files) {
      path = file.path;
      begun.push(`${path}${suffix}`);
      await writeFile(`${path}${suffix}`, file.content, { flag: 'wx' });
    }
    for (const file of files) {
      path = file.path;
      await rename(`${path}${suffix}`, path);
    }
  } catch (error) {
    await Promise.allSettled(begun.map((temporary) => rm(temporary, { force: true })));
    throw reportError(error, path);
  }
}

/**
 * Makes a folder and those above it. Not `mkdir` with `recursive`, which never returns where a file system says ENOENT
 * of a folder whose parent exists (/proc, in Node.js 20).
 */
async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder);
  } catch (error) {
    const parent = dirname(folder);
    if (errnoOf(error) !== 'ENOENT' || parent === folder) throw error;
    await makeFolder(parent);
    await makeOne(folder);
  }
}

/** The files of many scenarios are begun at once: another may have made it a moment ago. */
async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  }
}

const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space, or choose another folder with --out',
  EDQUOT: 'your disk quota is used up: free some space, or choose another folder with --out',
  EACCES: 'you may not write there: choose another folder with --out',
  EPERM: 'you may not write there: choose another folder with --out',
  EROFS: 'the file system is read-only: choose another folder with --out',
  ENOTDIR: 'a part of the path is a file: choose another folder with --out',
  ENOENT: 'no folder can be made there: choose another one with --out',
  EEXIST: 'a file is in the way: move it, or choose another folder with --out',
  EISDIR: 'a folder is in the way: move it, or choose another folder with --out',
  ENAMETOOLONG: 'the name is too long for this file system: choose another folder with --out',
};

function reportError(error: unknown, path: string): ReportError {
  const errno = errnoOf(error);
  const reason = messageOf(error);
  const remedy = errno === undefined ? undefined : REMEDIES[errno];
  return new ReportError(
    remedy === undefined
      ? `cannot write the report ${path}: ${reason}`
      : `cannot write the report ${path}: ${remedy} (${errno})`,
    errno,
  );
}
