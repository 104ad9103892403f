/** For tests: first processes of a guest that are no agents. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packInitramfs } from '../../uml/index.js';

/** What each does instead of its work. */
const BODIES = {
  ends: 'return 3;',
  'says nothing': 'for (;;) pause();',
  computes: 'for (;;) ;',
  'reads the clock': 'for (;;) { struct timespec now; syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now); }',
  yields: 'for (;;) sched_yield();',
  babbles: `
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct ifreq card = { .ifr_name = "vec1" };
    ioctl(fd, SIOCGIFFLAGS, &card);
    card.ifr_flags |= IFF_UP;
    ioctl(fd, SIOCSIFFLAGS, &card);
    ioctl(fd, SIOCGIFINDEX, &card);
    struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = card.ifr_ifindex };
    unsigned char frame[80];
    memset(frame, 0xff, sizeof frame);
    frame[12] = 0x88; frame[13] = 0xb5; frame[14] = 0; frame[15] = 64;
    for (;;) { sendto(fd, frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to); sleep(1000); }`,
} as const;

export type Rogue = keyof typeof BODIES;
export const ROGUES = Object.keys(BODIES) as readonly Rogue[];

/** A test's hook: skips, and says why, where there is no compiler. */
export function needsCompiler(this: Mocha.Context): void {
  if (spawnSync('cc', ['--version']).status === 0) return;
  process.stderr.write(
    'skipped: programs for guests cannot be compiled without a C compiler ("apt-get install gcc")\n',
  );
  this.skip();
}

/** The root of a guest with such a process, as a file that goes with this process. */
export function rogueInitramfs(rogue: Rogue): string {
  const headers = [
    'sched.h',
    'string.h',
    'time.h',
    'unistd.h',
    'sys/ioctl.h',
    'sys/socket.h',
    'sys/syscall.h',
    'net/if.h',
    'netpacket/packet.h',
  ];
  return initramfsOf([...headers.map((each) => `#include <${each}>`), `int main(void) {${BODIES[rogue]}}`]);
}

/** This file ends the agent of `mortalInitramfs`, within a second. */
export const END_FILE = '/end';
const AGENT = fileURLToPath(new URL('../../../../images/agent/agent.c', import.meta.url));

/** The root of a guest whose agent ends when there is a certain file, and whose kernel panics of it. */
export function mortalInitramfs(): string {
  return initramfsOf([
    `#include ${JSON.stringify(AGENT)}`,
    '#include <sys/time.h>',
    `static void look(int signal) { if (access(${JSON.stringify(END_FILE)}, F_OK) == 0) _exit(3); }`,
    '__attribute__((constructor)) static void begin(void) {',
    '  struct itimerval each_second = { { 1, 0 }, { 1, 0 } };',
    '  sigaction(SIGALRM, &(struct sigaction) { .sa_handler = look, .sa_flags = SA_RESTART }, NULL);',
    '  setitimer(ITIMER_REAL, &each_second, NULL);',
    '}',
  ]);
}

function initramfsOf(source: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'lastack-rogue-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'init');
  writeFileSync(`${program}.c`, `${source.join('\n')}\n`);
  execFileSync('cc', ['-static', '-w', '-o', program, `${program}.c`]);
  const file = join(folder, 'init.cpio');
  writeFileSync(file, packInitramfs(readFileSync(program)));
  return file;
}
