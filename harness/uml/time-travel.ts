/**
 * The messages of User-Mode Linux's time-travel protocol (uapi/linux/um_timetravel.h): sixteen octets of operation, sequence
 * number and time in nanoseconds, in the host's byte order. Times beyond 2^53 ns (104 days) lose their lowest bits.
 */

export const TT = {
  ACK: 0,
  START: 1,
  REQUEST: 2,
  WAIT: 3,
  GET: 4,
  UPDATE: 5,
  RUN: 6,
  FREE_UNTIL: 7,
  GET_TOD: 8,
} as const;

export const MESSAGE_OCTETS = 16;
const TWO_TO_32 = 4294967296;

export function putMessage(
  view: DataView,
  at: number,
  operation: number,
  sequence: number,
  ns: number,
): void {
  view.setUint32(at, operation, true);
  view.setUint32(at + 4, sequence, true);
  view.setUint32(at + 8, ns >>> 0, true);
  view.setUint32(at + 12, Math.floor(ns / TWO_TO_32), true);
}

export const operationAt = (view: DataView, at: number): number => view.getUint32(at, true);
export const sequenceAt = (view: DataView, at: number): number => view.getUint32(at + 4, true);
export const timeAt = (view: DataView, at: number): number =>
  view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * TWO_TO_32;

export const operationName = (operation: number): string =>
  Object.entries(TT).find(([, number]) => number === operation)?.[0] ?? `operation ${operation}`;
