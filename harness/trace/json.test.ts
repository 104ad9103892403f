import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { traceOf, traceWith } from './fixture.js';
import { TraceFormatError, traceFromJson, traceToJson } from './json.js';
import { traceJsonSchema } from './schema.js';
import type { Trace } from './trace.js';

const file = 'reports/run.trace.json';
const again = (trace: Trace) => traceFromJson(traceToJson(trace), { file });

const sample = traceWith(
  { faults: { f1: 'drop final-ack once', idle: 'drop rst' }, settings: { 'client.ipv4.tcp_retries2': 3 } },
  'client connect() = ECONNREFUSED took 3',
  'client SYN-SENT',
  'client SYN',
  'server SYN,ACK, delayed 5 by f1',
  'client ESTABLISHED bounded 2',
  'mark "quoted" · ünïcode',
  '+10 client ACK "hello", rewritten by f2',
  'server#2 RST peer',
  'client send(5)',
);

describe('a trace as JSON', () => {
  it('comes back as it was', () => {
    expect(again(sample)).to.deep.equal(sample);
  });

  it('comes back as it was, whatever happened', () => {
    const side = fc.constantFrom('client', 'server');
    const line = fc.oneof(
      fc.tuple(
        side,
        fc.constantFrom('SYN', 'SYN,ACK', 'ACK', 'PSH,ACK', 'FIN,ACK', 'RST', 'FIN,PSH,URG', 'none'),
        fc.constantFrom('', ' "data"', ' data=1400', ' again', ' win=0', ' seq=4000000000', ' fault'),
        fc.constantFrom(
          '',
          ', lost',
          ', dropped by f1',
          ', held by f2',
          ', delayed 7 by f3',
          ', rewritten by f4',
          ', duplicated',
        ),
      ),
      fc.tuple(side, fc.constantFrom('ESTABLISHED', 'TIME-WAIT bounded 3', 'CLOSED inferred 4', 'LISTEN')),
      fc.tuple(
        side,
        fc.constantFrom('send(3)', 'receive() = end', 'receive() = 12', 'connect() = ETIMEDOUT took 9'),
      ),
    );
    const text = ([who, what, ...rest]: readonly string[]) => `${who} ${what}${rest.join('')}`;
    fc.assert(
      fc.property(
        fc.array(line.map(text), { maxLength: 12 }),
        fc.constantFrom(4 as const, 6 as const),
        (lines, ipVersion) => {
          const trace = traceWith({ ipVersion }, ...lines);
          expect(again(trace)).to.deep.equal(trace);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps what is not TCP, notes, and facts that are unknown', () => {
    const address = { ip: '10.0.0.1', port: 1 };
    const { events } = traceOf('client SYN');
    const trace: Trace = {
      ...sample,
      events: [
        ...events.map((event) =>
          event.kind === 'segment' && event.facts !== undefined
            ? {
                ...event,
                facts: {
                  ...event.facts,
                  relSeq: undefined,
                  parts: [{ role: 'syn' as const, copy: 2, original: 1 }],
                },
              }
            : event,
        ),
        {
          kind: 'segment',
          id: 9,
          atNs: 5,
          from: 'server',
          origin: 'user',
          packet: Uint8Array.of(1, 2),
          deliveries: [],
          faults: [],
          held: true,
        },
        {
          kind: 'note',
          atNs: 6.5,
          side: 'client',
          local: address,
          remote: address,
          what: 'timer',
          detail: { a: 1, b: 'c' },
          eye: 'sock_diag',
        },
        {
          kind: 'call',
          atNs: 7,
          returnedNs: 8,
          side: 'client',
          call: 'receive',
          socket: 1,
          args: { peek: true },
          result: { kind: 'timeout', withinMs: 100 },
        },
      ],
    };
    expect(again(trace)).to.deep.equal(trace);
  });

  it('has one event a line, with a summary for people beside the packet', () => {
    const line =
      traceToJson(sample)
        .split('\n')
        .find((each) => each.includes('"summary":"SYN ')) ?? '';
    const event: unknown = JSON.parse(line.replace(/,$/, ''));
    expect(event).to.deep.include({
      kind: 'segment',
      summary: 'SYN seq=0 win=64240 len=0 mss=1460',
      fields: { flags: 'SYN', seq: 4294967294, ack: 0, window: 64240, len: 1 },
    });
  });
});

describe('a text that is no trace', () => {
  const refusal = (text: string) => expect(() => traceFromJson(text, { file })).to.throw(TraceFormatError);
  const stored = traceToJson(sample);

  it('of another version is refused by that', () => {
    refusal(stored.replace('"version": 1', '"version": 2')).with.property(
      'message',
      'reports/run.trace.json is a trace of version 2, and this lastack reads version 1: use the lastack that wrote it',
    );
  });

  it('that was cut off says where', () => {
    const cut = stored.slice(0, 900);
    refusal(cut)
      .with.property('message')
      .that.matches(/^reports\/run\.trace\.json is not JSON \(.+cut off after 900 characters\?$/);
  });

  it('that is something else says so', () => {
    refusal('{"a": 1}').with.property(
      'message',
      'reports/run.trace.json is no lastack trace: it has no "format": "lastack-trace"',
    );
    refusal('[]').with.property('message').that.includes('is no lastack trace');
    refusal('').with.property('message').that.includes('cut off after 0 characters');
  });

  it('that was damaged names the place', () => {
    refusal(stored.replace('"from":"client"', '"from":"nobody"'))
      .with.property('message')
      .that.includes('run.trace.json: events[2].from: ');
    refusal(stored.replace('"ipVersion": 4', '"ipVersion": 5'))
      .with.property('message')
      .that.includes('run.trace.json: ipVersion: ');
    refusal(stored.replace(/"packet":"../, '"packet":"!!'))
      .with.property('message')
      .that.matches(/events\[2\]\.packet: .*base64/i);
  });
});

describe('trace.schema.json', () => {
  it('is what the schema generates (LASTACK_UPDATE=1 writes it anew)', () => {
    const url = new URL('../../../harness/trace/trace.schema.json', import.meta.url);
    const generated: unknown = traceJsonSchema();
    if (process.env.LASTACK_UPDATE === '1') writeFileSync(url, `${JSON.stringify(generated, null, 2)}\n`);
    expect(JSON.parse(readFileSync(url, 'utf8'))).to.deep.equal(generated);
  });
});
