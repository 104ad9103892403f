/** The grammar of a fixture's lines; see `traceOf` for what they mean. */
import { TCP_STATES, type TcpState } from '../endpoint/index.js';
import type { Role, Side } from '../fault/index.js';
import type { Certainty } from '../observe/index.js';
import { type Flags, parseFlags } from '../segment/index.js';
import type { SegmentRecord } from '../wire/index.js';

/** When a line happens: at a time of the trace, or after the line before it. */
export type When = { readonly atMs: number } | { readonly afterMs: number };

export interface LineFate {
  readonly kind: 'dropped' | 'lost' | 'held' | 'delayed' | 'duplicated' | 'injected' | 'rewritten';
  readonly afterMs?: number;
  readonly fault?: string;
}

export interface SegmentLine {
  readonly kind: 'segment';
  readonly side: Side;
  readonly connection: number;
  readonly flags: Flags;
  readonly again: boolean;
  readonly payload?: Uint8Array;
  /** `seq`, `ack` (relative), `win`, `copy`, `urg`. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly roles?: readonly Role[];
  readonly origin: SegmentRecord['origin'];
  readonly fate?: LineFate;
}

export interface StateLine {
  readonly kind: 'state';
  readonly side: Side;
  readonly connection: number;
  readonly state: TcpState;
  readonly certainty: Certainty;
  readonly boundMs?: number;
}

export interface CallLine {
  readonly kind: 'call';
  readonly side: Side;
  readonly socket: number;
  readonly call: string;
  readonly argument?: string;
  readonly result?: string;
  readonly tookMs: number;
}

export interface MarkLine {
  readonly kind: 'mark';
  readonly text: string;
}

export type Line = { readonly when?: When } & (SegmentLine | StateLine | CallLine | MarkLine);

const LINE =
  /^(?:(?<sign>[@+])(?<ms>[\d.]+)\s+)?(?:mark\s+(?<mark>.+)|(?<side>client|server)(?:#(?<nth>\d+))?\s+(?<what>.+))$/;

export function parseLine(text: string): Line {
  const groups = LINE.exec(text.trim())?.groups;
  if (groups === undefined)
    throw new SyntaxError(
      `fixture line "${text}": write "[@ms|+ms] client|server[#n] SEGMENT|STATE|call()" or "mark text"`,
    );
  const { sign, ms, mark, side, nth, what = '' } = groups;
  const when =
    sign === undefined ? {} : { when: sign === '@' ? { atMs: Number(ms) } : { afterMs: Number(ms) } };
  if (mark !== undefined) return { ...when, kind: 'mark', text: mark };
  const at = { side: side === 'server' ? 'server' : 'client', connection: Number(nth ?? 1) } as const;
  return { ...when, ...(parseCall(what, at) ?? parseState(what, at) ?? parseSegment(what, at)) };
}

interface Place {
  readonly side: Side;
  readonly connection: number;
}

const CALL = /^(?<call>\w+)\((?<argument>[^)]*)\)(?:\s*=\s*(?<result>\w+))?(?:\s+took\s+(?<took>[\d.]+))?$/;

function parseCall(what: string, { side, connection }: Place): CallLine | undefined {
  const groups = CALL.exec(what)?.groups;
  if (groups === undefined) return undefined;
  const { call = '', argument, result, took } = groups;
  return {
    kind: 'call',
    side,
    socket: connection,
    call,
    ...(argument === undefined || argument === '' ? {} : { argument }),
    ...(result === undefined ? {} : { result }),
    tookMs: Number(took ?? 0),
  };
}

function parseState(what: string, place: Place): StateLine | undefined {
  const [name, certainty, boundMs] = what.split(/\s+/);
  const state = TCP_STATES.find((each) => each === name);
  if (state === undefined) return undefined;
  if (certainty !== undefined && certainty !== 'bounded' && certainty !== 'inferred')
    throw new SyntaxError(`fixture state "${what}": "${certainty}" is neither "bounded" nor "inferred"`);
  const bound = certainty === undefined ? {} : { boundMs: Number(boundMs ?? 1) };
  return { kind: 'state', ...place, state, certainty: certainty ?? 'exact', ...bound };
}

const WORD = /"(?<text>[^"]*)"|\[(?<roles>[^\]]*)\]|(?<name>\w+)=(?<number>\d+)|(?<word>\S+)/g;

function parseSegment(what: string, place: Place): SegmentLine {
  const [, body = '', fate] = /^(.*?)(?:,\s+(.*))?$/s.exec(what) ?? [];
  const [flags = '', ...rest] = body.split(' ');
  const numbers: Record<string, number> = {};
  let payload: Uint8Array | undefined;
  let roles: readonly Role[] | undefined;
  let again = false;
  let origin: SegmentRecord['origin'] = 'endpoint';
  for (const { groups = {} } of rest.join(' ').matchAll(WORD)) {
    if (groups.text !== undefined) payload = new TextEncoder().encode(groups.text);
    else if (groups.roles !== undefined)
      roles = groups.roles.split(/[\s,]+/) as Role[]; // a fixture's author knows the roles
    else if (groups.name === 'data') payload = new Uint8Array(Number(groups.number)).fill(0x61);
    else if (groups.name !== undefined) numbers[groups.name] = Number(groups.number);
    else if (groups.word === 'again') again = true;
    else if (groups.word === 'peer' || groups.word === 'user' || groups.word === 'fault')
      origin = groups.word;
    else throw new SyntaxError(`fixture segment "${what}": what is "${groups.word}"?`);
  }
  return {
    kind: 'segment',
    ...place,
    flags: parseFlags(flags),
    again,
    numbers,
    origin,
    ...(payload === undefined ? {} : { payload }),
    ...(roles === undefined ? {} : { roles }),
    ...(fate === undefined ? {} : { fate: parseFate(fate) }),
  };
}

const FATE =
  /^(?<kind>dropped|lost|held|delayed|duplicated|injected|rewritten)(?:\s+(?<after>[\d.]+))?(?:\s+by\s+(?<fault>.+))?$/;

function parseFate(text: string): LineFate {
  const groups = FATE.exec(text)?.groups;
  if (groups === undefined)
    throw new SyntaxError(
      `fixture fate "${text}": write "dropped|lost|held|delayed|duplicated|injected|rewritten [ms] [by FAULT]"`,
    );
  const { kind, after, fault } = groups;
  return {
    kind: kind as LineFate['kind'], // the pattern has these alternatives and no other
    ...(after === undefined ? {} : { afterMs: Number(after) }),
    ...(fault === undefined ? {} : { fault }),
  };
}
