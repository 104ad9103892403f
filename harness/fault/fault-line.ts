/** Faults as their one line. */
import type { Action, OptionSetting, SegmentChange } from './action.js';
import { type FaultDraft, readFault } from './action-grammar.js';
import type { Fault } from './fault.js';
import { matchLine } from './match-line.js';
import { PlanError } from './plan-error.js';
import { sortedJson } from './sorted-json.js';
import { TokenReader } from './token-reader.js';
import { NUMBER_FIELD_NAMES } from './words.js';

const PLAIN_LABEL = /^[A-Za-z0-9_-]+$/;

/** Reads back as the same fault. The id stands before it as a label, unless it is that very text. */
export function faultLine({ id, ...draft }: Fault): string {
  const text = draftText(draft);
  if (id === text) return text;
  return `${PLAIN_LABEL.test(id) ? id : JSON.stringify(id)}: ${text}`;
}

/** A fault with this id, the one it has, or its text for want of any. */
export function withId({ id: own, ...draft }: FaultDraft & { readonly id?: string }, id = own): Fault {
  return { id: id ?? draftText(draft), ...draft };
}

function draftText(draft: FaultDraft): string {
  const { match, action, times } = draft;
  const often = times === undefined ? '' : times === 1 ? ' once' : times === 2 ? ' twice' : ` ${times} times`;
  const text = `${deedText(action, matchLine(match))}${often}`;
  return says(text, draft) ? text : sortedJson(draft);
}

/** What has no words (a change that changes nothing, a time in fractions of a nanosecond) is left to JSON. */
function says(text: string, draft: FaultDraft): boolean {
  try {
    return sortedJson(readFault(new TokenReader(text))) === sortedJson(draft);
  } catch (error) {
    if (error instanceof PlanError) return false;
    throw error;
  }
}

function deedText(action: Action, match: string): string {
  switch (action.kind) {
    case 'drop':
      return `drop ${match}`;
    case 'delay':
      return `delay ${match} by ${action.byMs}ms`;
    case 'hold':
      return action.until === undefined ? `hold ${match}` : `hold ${match} until ${matchLine(action.until)}`;
    case 'duplicate': {
      const into = action.copies === undefined ? '' : ` into ${action.copies + 1}`;
      return `duplicate ${match}${into}${afterText(action.afterMs)}`;
    }
    case 'reorder':
      return `reorder ${match} after ${action.after} ${action.after === 1 ? 'other' : 'others'}`;
    case 'rewrite':
      return `rewrite ${changeTexts(action.set).join(', ')} of ${match}`;
    case 'corrupt-checksum':
      return `corrupt checksum of ${match}`;
    case 'truncate':
      return `truncate ${match} to ${action.toOctets} octets`;
    case 'inject':
      return `${injectText(action.segment, action.sender)} on ${match}${afterText(action.afterMs)}`;
    case 'replay':
      return `replay ${matchLine(action.of)} on ${match}${afterText(action.afterMs)}`;
  }
}

const afterText = (ms: number | undefined): string => (ms === undefined ? '' : ` after ${ms}ms`);

function injectText({ flags, ...changes }: SegmentChange, sender: string | undefined): string {
  const what = flags === undefined ? 'segment' : flagsWord(flags);
  const others = changeTexts(changes).join(', ');
  return `inject ${what}${sender === undefined ? '' : ` from ${sender}`}${others === '' ? '' : ` with ${others}`}`;
}

const flagsWord = (flags: readonly string[]): string => (flags.length === 0 ? 'none' : flags.join(','));

/** In one order, so that the same change always reads the same. */
function changeTexts(change: SegmentChange): string[] {
  const { flags, setOptions = [], removeOptions, payload, payloadHex } = change;
  const plain = (['seq', 'ack', ...NUMBER_FIELD_NAMES] as const).flatMap((name) =>
    change[name] === undefined ? [] : [`${name}=${change[name]}`],
  );
  return [
    ...plain,
    ...(flags === undefined ? [] : [`flags=${flagsWord(flags)}`]),
    ...setOptions.map(optionText),
    ...(removeOptions === undefined ? [] : [`remove=${removeOptions.join(',')}`]),
    ...(payload === undefined ? [] : [`payload=${JSON.stringify(payload)}`]),
    ...(payloadHex === undefined ? [] : [`payloadHex=${JSON.stringify(payloadHex)}`]),
  ];
}

function optionText(option: OptionSetting): string {
  switch (option.kind) {
    case 'mss':
      return `mss=${option.mss}`;
    case 'windowScale':
      return `windowScale=${option.shift}`;
    case 'sackPermitted':
      return 'sackPermitted=on';
    case 'timestamps':
      return `timestamps=${option.tsVal}:${option.tsEcr}`;
  }
}
