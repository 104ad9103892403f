/**
 * For tests with a real Docker engine: one that runs here, and an image with one static program that does what containers of tests
 * do. Without a registry such an image is made by hand.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { messageOf } from '../../text/index.js';
import { Engine } from './engine.js';
import { tar } from './tar.js';

/** Where the image has it. */
export const TOOL = '/bin/tool';

const SOURCE = `
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sends back what comes, until its end. */
static void echo(int in, int out) {
  char octets[65536];
  for (ssize_t got; (got = read(in, octets, sizeof octets)) > 0;)
    for (ssize_t sent = 0, n; sent < got; sent += n)
      if ((n = write(out, octets + sent, got - sent)) <= 0) return;
}

static void listen_at(int port) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  int on = 1, off = 0, listener = socket(AF_INET6, SOCK_STREAM, 0);
  setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 16)) { perror("listen"); exit(1); }
  puts("listens"); fflush(stdout);
  for (;;) { int one = accept(listener, 0, 0); echo(one, one); close(one); }
}

/* Says a word to a container by its name, hears it again, and closes first. */
static void ask(const char *name, const char *port) {
  struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
  char word[8] = {0};
  if (getaddrinfo(name, port, &hints, &found)) { fputs("no such name\\n", stderr); exit(1); }
  int one = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(one, found->ai_addr, found->ai_addrlen)) { perror("connect"); exit(1); }
  if (write(one, "asked", 5) != 5) { perror("write"); exit(1); }
  shutdown(one, SHUT_WR);
  for (ssize_t got; (got = read(one, word, sizeof word - 1)) > 0;) printf("%.*s", (int)got, word);
  puts("");
}

static void show(const char *path) {
  char text[4096];
  FILE *file = fopen(path, "r");
  if (!file) { perror(path); exit(1); }
  fwrite(text, 1, fread(text, 1, sizeof text, file), stdout);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "", *with = argc > 2 ? argv[2] : "0";
  if (!strcmp(what, "echo")) { fputs("echoes\\n", stderr); echo(0, 1); }
  else if (!strcmp(what, "sleep")) sleep(atoi(with));
  else if (!strcmp(what, "listen")) listen_at(atoi(with));
  else if (!strcmp(what, "ask") && argc > 3) ask(with, argv[3]);
  else if (!strcmp(what, "show")) show(with);
  else if (!strcmp(what, "env")) puts(getenv(with) ? getenv(with) : "");
  else if (!strcmp(what, "say")) { puts(with); fprintf(stderr, "%s, to stderr\\n", with); return argc > 3 ? atoi(argv[3]) : 0; }
  else return 2;
  return 0;
}
`;

let built: Buffer | undefined;

/** The program, statically linked; what the compiler said where it cannot be had. */
function program(): Buffer {
  if (built !== undefined) return built;
  const folder = mkdtempSync(join(tmpdir(), 'lastack-tool-'));
  try {
    writeFileSync(join(folder, 'tool.c'), SOURCE);
    const { status, stderr, error } = spawnSync('gcc', ['-static', '-O1', '-o', 'tool', 'tool.c'], {
      cwd: folder,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`no static program could be built: ${error?.message ?? stderr}`);
    built = readFileSync(join(folder, 'tool'));
    return built;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface TestEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** The name of the image. */
  readonly image: string;
}

/** Rejects where there is no engine, or no compiler. */
export async function testEngine(): Promise<TestEngine> {
  const engine = await Engine.connect();
  const image = `lastack-test-${engine.runId}:tool`;
  try {
    const archive = tar([{ path: TOOL, content: program(), mode: 0o755 }]);
    const answer = await engine.docker.importImage(Readable.from([archive]) as never, {
      repo: image.split(':')[0],
      tag: 'tool',
      changes: [`ENTRYPOINT ["${TOOL}"]`],
    });
    for await (const _ of answer);
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
  return {
    engine,
    image,
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await using another = await Engine.connect();
      await another.docker.getImage(image).remove({ force: true });
    },
  };
}

/** In a `before` hook: skips, and says why, where there is none. */
export async function needsTestEngine(context: Mocha.Context): Promise<TestEngine> {
  try {
    return await testEngine();
  } catch (error) {
    process.stderr.write(`skipped: ${messageOf(error)}\n`);
    return context.skip();
  }
}

/** The guards of a run, as shells or at work: their process ids. */
export const guardsOf = (runId: string): readonly number[] =>
  readdirSync('/proc')
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return line.includes('guard-main.js') && line.includes(runId);
      } catch {
        return false;
      }
    })
    .map(Number);
