/** Connections of a dozen segments that open and close in each of the ways that RFC 9293 knows. */
import type { RunOptions } from './run.js';

export type Story = Pick<RunOptions, 'opens' | 'client' | 'server' | 'clientSettings'>;

const REQUEST = 700;
const ANSWER = 1900;

export const STORIES = {
  'the client closes first': {
    client: { sends: REQUEST, closes: ANSWER },
    server: { sends: ANSWER, sendsAfter: REQUEST, closes: 'after end' },
  },
  'the server closes first': {
    client: { sends: REQUEST, closes: 'after end' },
    server: { sends: ANSWER, sendsAfter: REQUEST, closes: 'when sent' },
  },
  'both close at once': {
    client: { sends: REQUEST, closes: 'when sent' },
    server: { sends: REQUEST, closes: 'when sent' },
  },
  'both open at once': {
    opens: 'both',
    client: { sends: REQUEST, closes: 'when sent' },
    server: { sends: ANSWER, closes: 'after end' },
  },
  'the client closes its half at once': {
    client: { sends: REQUEST, closes: 'when sent' },
    server: { sends: ANSWER, sendsAfter: REQUEST, closes: 'when sent' },
  },
  'the window shuts': {
    client: { sends: REQUEST, closes: 'after end', reads: { octets: 300, everyMs: 700 } },
    server: { sends: ANSWER, pieces: 500, sendsAfter: REQUEST, closes: 'when sent' },
    clientSettings: { receiveBufferOctets: 800 },
  },
} satisfies Readonly<Record<string, Story>>;
