/** `lastack attach`: faults in the connections of a process that runs already, shown as they go; nothing is left behind. */

import { dirname } from 'node:path';
import { NANOS_PER_MS } from '../clock/index.js';
import { type Fault, type Match, matchLine, type Receipt } from '../fault/index.js';
import {
  type Attachment,
  attach,
  type LabOptions,
  listeningText,
  type Recording,
  type Target,
  type WirePlace,
} from '../lab/index.js';
import { LiveLadder, ReportError, type Terminal, writeTogether } from '../report/index.js';
import { humanTime } from '../text/index.js';
import { type Trace, traceToPcapng } from '../trace/index.js';
import { type Ending, endOf } from './attach-ending.js';
import { attachedTrace, recentPart } from './attached-trace.js';
import { EXIT } from './exit.js';
import { targetNamed } from './target-named.js';

export interface AttachCommand {
  /** A process id, or what a container or a compose service is called. */
  readonly target: string;
  readonly port: number;
  readonly faults: readonly Fault[];
  readonly pcap?: string;
  readonly forMs?: number;
  readonly until?: Match;
  readonly eyes: NonNullable<LabOptions['eyes']>;
  /** Of a container. */
  readonly wire?: WirePlace;
}

/** What is shown has happened this long ago: later news of it have come by then. */
const SETTLED_NS = 150 * NANOS_PER_MS;
const TICK_MS = 60;
/** Of the time, at most this part goes into showing. */
const SHOWING_PART = 0.1;

export async function attachTo(command: AttachCommand, terminal: Terminal): Promise<number> {
  await using target = await targetNamed(command.target, command.wire);
  const attachment = await attach({ ...command, target });
  try {
    return await watch(attachment, { command, target, terminal });
  } finally {
    await attachment[Symbol.asyncDispose]();
  }
}

interface Watch {
  readonly command: AttachCommand;
  readonly target: Target;
  readonly terminal: Terminal;
}

async function watch(attachment: Attachment, { command, target, terminal }: Watch): Promise<number> {
  const ladder = new LiveLadder(terminal);
  print([...(await presentLines(attachment, target, command)), '', ...ladder.head([])]);
  const { ended, stop } = endOf(attachment, { ...command, target });
  let ending: Ending | undefined;
  ended.then((how) => {
    ending = how;
  });
  for (let pauseMs = TICK_MS; ending === undefined; ) {
    await Promise.race([ended, sleep(pauseMs)]);
    const beganMs = performance.now();
    await show(attachment, ladder, target);
    pauseMs = Math.max(TICK_MS, (performance.now() - beganMs) / SHOWING_PART);
  }
  stop();
  const recording = await lastRecording(attachment, ending);
  const { attachedNs } = attachment;
  const trace = attachedTrace(recording, { text: target.text, attachedNs });
  const rest = attachedTrace(recentPart(recording, ladder.shownNs + attachedNs), {
    text: target.text,
    attachedNs,
  });
  print(ladder.rows(rest, Number.POSITIVE_INFINITY, { isLive: false }));
  const missed = ending.kind === 'failed' ? 0 : await attachment.missed();
  await attachment[Symbol.asyncDispose]();
  const legend = ladder.legend();
  print([
    ...(legend.length === 0 ? [] : ['', ...legend]),
    '',
    ...endLines(ending),
    ...receiptLines(recording.receipts),
    seenLine(recording, { missed, port: command.port, present: ending.present }),
    rulesLine(attachment),
  ]);
  if (command.pcap !== undefined) await writeCapture(command.pcap, trace);
  return codeOf(ending, recording.receipts);
}

/** The rows of what has settled by now. */
async function show(attachment: Attachment, ladder: LiveLadder, target: Target): Promise<void> {
  const { attachedNs } = attachment;
  const untilNs = attachment.clock.now() - attachedNs - SETTLED_NS;
  let recording: Recording;
  try {
    recording = await attachment.glance();
  } catch {
    // The wire has failed: its end tells why.
    return;
  }
  const trace = attachedTrace(recentPart(recording, ladder.shownNs + attachedNs), {
    text: target.text,
    attachedNs,
  });
  print(ladder.rows(trace, untilNs, { isLive: true }));
}

async function lastRecording(attachment: Attachment, ending: Ending): Promise<Recording> {
  return ending.kind === 'failed' ? attachment.remains() : attachment.recording();
}

async function presentLines(attachment: Attachment, { text }: Target, { port, forMs }: AttachCommand) {
  const { listeners, connections, anyListeners } = await attachment.present();
  const where = [...new Set(listeners.map(({ ip }) => (ip.includes(':') ? `[${ip}]` : ip)))].join(', ');
  const listening =
    listeners.length === 0 ? `nothing listens at port ${port}` : `port ${port} listens at ${where}`;
  const many = connections === 1 ? '1 connection' : `${connections} connections`;
  const until = forMs === undefined ? 'Ctrl-C ends it' : `for ${humanTime(forMs)}, or until Ctrl-C`;
  const head = `attached to ${text}: ${listening}, ${many} there; ${until}`;
  if (listeners.length > 0 || connections > 0) return [head];
  return [
    head,
    `remark: ${listeningText(anyListeners)} there, and only connections that it opens to port ${port} of others will show`,
  ];
}

function endLines(ending: Ending): readonly string[] {
  switch (ending.kind) {
    case 'time':
      return ending.unseen === undefined
        ? []
        : [`no segment matched "${matchLine(ending.unseen)}" in that time`];
    case 'full':
      return [ending.sentence];
    case 'gone':
    case 'failed':
      process.stderr.write(`lastack: ${ending.sentence}\n`);
      return [];
    case 'until':
    case 'interrupt':
      return [];
  }
}

const receiptLines = (receipts: readonly Receipt[]): readonly string[] =>
  receipts.map(({ text, matched, acted }, i) => {
    const never = acted === 0 ? ': inconclusive, the situation did not come about' : '';
    return `fault ${i + 1} (${text}): matched ${matched}, acted on ${acted}${never}`;
  });

function seenLine(
  { segments }: Recording,
  { missed, port, present }: { missed: number; port: number; present: number },
): string {
  const flows = new Set(segments.flatMap(({ facts }) => (facts === undefined ? [] : [facts.flow]))).size;
  const unseen = missed === 0 ? '' : `; ${missed} more passed unseen, they came too fast`;
  if (segments.length > 0)
    return `seen: ${segments.length} segments of ${flows} ${flows === 1 ? 'connection' : 'connections'}${unseen}`;
  return present > 0
    ? `seen: nothing: ${present === 1 ? 'the connection' : `the ${present} connections`} at port ${port} said nothing`
    : `seen: nothing: no segment to or from port ${port} came or left there`;
}

function rulesLine({ rules: { added, removed } }: Attachment): string {
  const all = `${removed} of ${added} rules taken out again`;
  return removed === added
    ? `left behind: nothing (${all})`
    : `left behind: nothing (${all}: somebody else removed the others, and what came after passed unseen)`;
}

async function writeCapture(path: string, trace: Trace): Promise<void> {
  try {
    await writeTogether(dirname(path), [{ path, content: traceToPcapng(trace) }]);
  } catch (error) {
    if (!(error instanceof ReportError)) throw error;
    throw new ReportError(error.message.replace('--out', '--pcap'), error.errno);
  }
  print([`capture: ${path}`]);
}

function codeOf(ending: Ending, receipts: readonly Receipt[]): number {
  if (ending.kind === 'gone' || ending.kind === 'failed') return EXIT.environment;
  const isMissing = ending.kind === 'time' && ending.unseen !== undefined;
  return isMissing || receipts.some(({ acted }) => acted === 0) ? EXIT.verdictFailed : EXIT.asExpected;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const print = (lines: readonly string[]): void => {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
};
