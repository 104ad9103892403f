/** What the engine says while it builds, imports or pulls: lines of JSON, an error among them when it fails. */
import { z } from 'zod';
import { messageOf } from '../../text/index.js';

const HAPPENING = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number(), total: z.number() }).partial().optional(),
  aux: z.object({ ID: z.string() }).partial().optional(),
});
export type Happening = z.infer<typeof HAPPENING>;

/** Each in turn; throws what the engine gives as its error. */
export async function* happenings(stream: AsyncIterable<Uint8Array | string>): AsyncGenerator<Happening> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield* parsed(line);
  }
  yield* parsed(rest);
}

function* parsed(line: string): Generator<Happening> {
  if (line.trim() === '') return;
  const happening = HAPPENING.parse(JSON.parse(line));
  if (happening.error !== undefined) throw new Error(happening.error.trim());
  yield happening;
}

/** What was answered to a request, in the engine's own words: dockerode puts the code and its own before them. */
export function engineWords(error: unknown): string {
  const json = error instanceof Error && 'json' in error ? error.json : undefined;
  const message = Object(json).message;
  if (typeof message === 'string') return message.trim();
  return messageOf(error)
    .replace(/^\(HTTP code \d+\) .*? - /, '')
    .trim();
}

export const isStatus = (error: unknown, ...codes: readonly number[]): boolean =>
  error instanceof Error && 'statusCode' in error && codes.includes(Number(error.statusCode));
