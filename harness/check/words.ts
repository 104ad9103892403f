/** A trace in a few lines, for the message of an assertion: what was sent, and what the states did, round what matters. */
import { NANOS_PER_SECOND } from '../clock/index.js';
import type { CallRecord } from '../endpoint/index.js';
import { fateOf, segmentRemark, segmentText, type Trace, type TraceEvent } from '../trace/index.js';

const MOST_LINES = 14;

/** `  0.204 s  server  FIN,ACK seq=5 ack=6 win=502 len=0   (second FIN, 2nd copy)`. */
export function eventLine(event: TraceEvent, trace: Trace): string {
  const at = `${(event.atNs / NANOS_PER_SECOND).toFixed(3).padStart(8)} s`;
  const who = (event.kind === 'segment' ? event.from : event.kind === 'mark' ? '' : event.side).padEnd(6);
  return `${at}  ${who}  ${eventText(event, trace)}`;
}

function eventText(event: TraceEvent, trace: Trace): string {
  switch (event.kind) {
    case 'segment': {
      const remark = segmentRemark(event, trace);
      const fate = fateOf(event) === 'dropped' && event.faults.length === 0 ? ', lost' : '';
      return `${segmentText(event)}${remark === '' ? '' : `  (${remark})`}${fate}`;
    }
    case 'transition':
      return `${event.from} -> ${event.to}${event.certainty === 'exact' ? '' : ` (${event.certainty})`}`;
    case 'call':
      return `${event.call}: ${resultText(event.result)}`;
    case 'note':
      return event.what;
    case 'mark':
      return event.text;
  }
}

function resultText(result: CallRecord['result']): string {
  switch (result.kind) {
    case 'ok':
      return result.value === undefined ? 'ok' : String(result.value);
    case 'data':
      return `${result.octets} octets`;
    case 'end':
      return 'end of the stream';
    case 'error':
      return result.errno;
    case 'timeout':
      return `nothing within ${result.withinMs} ms`;
  }
}

/** The chosen events, or else the trace's segments and states; of a long list the head and the tail. */
export function excerpt(trace: Trace, chosen: readonly number[] = []): string {
  const events =
    chosen.length > 0
      ? chosen.flatMap((index) => trace.events[index] ?? [])
      : trace.events.filter(({ kind }) => kind === 'segment' || kind === 'transition');
  const lines = events.map((event) => eventLine(event, trace));
  if (lines.length === 0) return '  (the trace is empty)';
  if (lines.length <= MOST_LINES) return lines.join('\n');
  const head = lines.slice(0, MOST_LINES / 2);
  const tail = lines.slice(-MOST_LINES / 2 + 1);
  return [...head, `  … ${lines.length - head.length - tail.length} more …`, ...tail].join('\n');
}
