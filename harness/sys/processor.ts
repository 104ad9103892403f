/** Where the calling thread runs. */
import { libc } from './libc.js';

/** `cpu_set_t` for 1024 processors. */
const SET_OCTETS = 128;
const THIS_THREAD = 0;

/**
 * Keeps the calling thread on one processor, and what it starts from then on, until the returned function is called: where two take turns
 * and both stay, neither waits for another processor to wake up. It is the `number`th of those that it may use, counted round and from
 * another one in each process; without a number the one that it is on. Where the system does not let it, all stays as it is.
 */
export function stayOnOneProcessor(number?: number): () => void {
  const allowed = new Uint8Array(SET_OCTETS);
  if (libc.schedGetaffinity(THIS_THREAD, SET_OCTETS, allowed) < 0) return () => {};
  const processors = [...Array(8 * SET_OCTETS).keys()].filter((each) => has(allowed, each));
  const one =
    number === undefined ? libc.schedGetcpu() : processors[(process.pid + number) % processors.length];
  if (one === undefined || !processors.includes(one)) return () => {};
  const only = new Uint8Array(SET_OCTETS);
  only[one >> 3] = 1 << (one & 7);
  if (libc.schedSetaffinity(THIS_THREAD, SET_OCTETS, only) < 0) return () => {};
  return () => void libc.schedSetaffinity(THIS_THREAD, SET_OCTETS, allowed);
}

const has = (set: Uint8Array, processor: number): boolean =>
  ((set[processor >> 3] ?? 0) & (1 << (processor & 7))) !== 0;
