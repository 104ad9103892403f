/**
 * Whose reports are: in a container lastack is root, and the folder that is mounted into it is somebody's who wants to read and remove what
 * stands in it.
 */
import { existsSync, lchownSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export class ReportOwner {
  readonly #folder: string;
  readonly #uid: number;
  readonly #gid: number;

  private constructor(folder: string, { uid, gid }: { readonly uid: number; readonly gid: number }) {
    this.#folder = folder;
    this.#uid = uid;
    this.#gid = gid;
  }

  /** The owner of the folder, or of the nearest above it that is there now. */
  static of(folder: string): ReportOwner {
    const path = resolve(folder);
    let there = path;
    while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
    return new ReportOwner(path, statSync(there));
  }

  /** All in the folder becomes that owner's, where this process may see to it. */
  give(): void {
    if (process.geteuid?.() !== 0 || this.#uid === 0 || !existsSync(this.#folder)) return;
    try {
      for (const path of [this.#folder, ...pathsIn(this.#folder)]) lchownSync(path, this.#uid, this.#gid);
    } catch {
      // A root without CAP_CHOWN: the files are there all the same.
    }
  }
}

const pathsIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
