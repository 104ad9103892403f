/** What a fixture's lines become: times of delivery, marks of faults, call records. */
import { NANOS_PER_MS, type Nanos } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import type { FaultMark } from '../fault/index.js';
import type { CallLine, LineFate } from './fixture-line.js';

/** How long a segment is under way when nothing delays it. */
const CROSSING_NS = 50_000;

/** When a segment that left at `atNs` is handed over: never, once or twice. */
export function deliveryTimes(fate: LineFate | undefined, atNs: Nanos): readonly Nanos[] {
  const promptly = atNs + CROSSING_NS;
  const later = promptly + Math.round((fate?.afterMs ?? 0) * NANOS_PER_MS);
  switch (fate?.kind) {
    case 'dropped':
    case 'lost':
      return [];
    case 'held':
      return fate.afterMs === undefined ? [] : [later];
    case 'duplicated':
      return [promptly, fate.afterMs === undefined ? promptly + CROSSING_NS : later];
    default:
      return [later];
  }
}

export function faultMark({ kind, afterMs }: LineFate, fault: string): FaultMark {
  if (kind === 'delayed') return { fault, what: `delayed by ${afterMs ?? 0} ms` };
  return { fault, what: kind === 'rewritten' ? 'rewritten (window)' : kind };
}

export function callRecord(
  { side, socket, call, argument, result, tookMs }: CallLine,
  atNs: Nanos,
): CallRecord {
  return {
    kind: 'call',
    atNs,
    returnedNs: atNs + Math.round(tookMs * NANOS_PER_MS),
    side,
    socket,
    call,
    args:
      argument === undefined ? {} : /^\d+$/.test(argument) ? { octets: Number(argument) } : { how: argument },
    result: callResult(result),
  };
}

function callResult(result: string | undefined): CallRecord['result'] {
  if (result === undefined) return { kind: 'ok' };
  if (result === 'end') return { kind: 'end' };
  return /^\d+$/.test(result) ? { kind: 'data', octets: Number(result) } : { kind: 'error', errno: result };
}
