/** Guests that do not come up, or do not stay: what is said of them, and what is left of them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Timeline } from '../clock/index.js';
import { bootGuests } from './boot.js';
import { Guest, type GuestOptions } from './guest.js';
import { GuestDied } from './guest-died.js';
import { initramfsFile } from './initramfs.js';
import { installedKernels, isUpToDate } from './kernel/index.js';

const kernel = installedKernels().findLast(isUpToDate);
const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe('a guest', () => {
  let folder: string;
  let initramfs: string;
  before(async function () {
    if (kernel === undefined) {
      process.stderr.write(
        'skipped: no kernel was built for the virtual lab ("lastack kernel build 6.12")\n',
      );
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'lastack-guest-'));
    initramfs = await initramfsFile();
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  function file(name: string, content: string, mode = 0o755): string {
    const path = join(folder, name);
    writeFileSync(path, content, { mode });
    return path;
  }

  function boot(options: Partial<GuestOptions> = {}, withinMs = 20_000): Guest {
    const timeline = new Timeline();
    const guest = new Guest({
      name: 'linux@test',
      kernelFile: kernel?.file ?? '',
      initramfsFile: initramfs,
      timeline,
      ...options,
    });
    try {
      bootGuests([guest], timeline, withinMs);
      return guest;
    } catch (error) {
      guest[Symbol.dispose]();
      throw error;
    }
  }

  /** The error of a guest that does not come up, which takes no long wait and leaves no file open. */
  function refusalOf(options: Partial<GuestOptions>, withinMs?: number): GuestDied {
    const files = openFiles();
    try {
      boot(options, withinMs)[Symbol.dispose]();
    } catch (error) {
      expect(error).to.be.instanceOf(GuestDied);
      expect(openFiles(), 'open files').to.equal(files);
      return error as GuestDied;
    }
    return expect.fail('it came up');
  }

  it('boots, and waits for its clock', () => {
    const guest = boot();
    expect(guest.isAlive).to.equal(true);
    guest[Symbol.dispose]();
    expect(guest.isAlive).to.equal(false);
  });

  it('leaves no file open and no process when it has ended, also when it is ended twice', async () => {
    boot()[Symbol.dispose]();
    const files = openFiles();
    const guest = boot();
    guest[Symbol.dispose]();
    guest[Symbol.dispose]();
    expect(openFiles()).to.equal(files);
    await guest.ended;
    expect(() => process.kill(guest.pid, 0)).to.throw('ESRCH');
  });

  for (const [what, kernelFile, why] of [
    ['is not there', () => join(folder, 'none'), /none cannot be run \(ENOENT\): is it a kernel/],
    [
      'may not be run',
      () => file('plain', '\x7fELF', 0o644),
      /plain cannot be run \(EACCES\): is it a kernel/,
    ],
    [
      'is garbage',
      () => file('garbage', 'garbage'),
      /garbage cannot be run \(it is no program\): is it a kernel/,
    ],
    ['is cut short', () => file('short', '\x7fELF'), /its process ended with status \d+/],
    ['ends without a word', () => '/bin/true', /its process ended with status 0$/],
    [
      'says something and ends',
      () => '/bin/echo',
      /its process ended with status 0\nthe last that .*:\n.*time-travel=ext:/,
    ],
  ] as const)
    it(`whose kernel ${what} is refused in one sentence`, () => {
      const error = refusalOf({ kernelFile: kernelFile() });
      expect(error.message).to.match(new RegExp(`^the guest linux@test died: .*${why.source}`, 's'));
    });

  it('whose kernel never asks for its clock is refused after some time, whatever it says meanwhile', () => {
    const beganMs = performance.now();
    const error = refusalOf({ kernelFile: '/usr/bin/yes' }, 300);
    expect(error.message).to.match(/^the guest linux@test died: it did not come up within 300 ms\nthe last/);
    expect(performance.now() - beganMs).to.be.lessThan(3000);
  });

  it('without its archive panics, and its log is told', () => {
    for (const initramfsFile of [file('garbage.cpio', 'garbage'), join(folder, 'no.cpio')]) {
      const error = refusalOf({ initramfsFile });
      expect(error.reason).to.match(/^its kernel panicked: .*(init|root)/i);
      expect(error.log).to.contain(error.reason.replace('its kernel panicked: ', ''));
    }
  });

  it('that is stopped while it comes up is refused after some time', () => {
    const timeline = new Timeline();
    const guest = new Guest({
      name: 'linux@test',
      kernelFile: kernel?.file ?? '',
      initramfsFile: initramfs,
      timeline,
    });
    process.kill(-guest.pid, 'SIGSTOP');
    expect(() => bootGuests([guest], timeline, 300)).to.throw(GuestDied, 'did not come up within 300 ms');
    guest[Symbol.dispose]();
  });

  it('that is killed while it comes up says so', () => {
    const timeline = new Timeline();
    const guests = ['a', 'b'].map(
      (name) => new Guest({ name, kernelFile: kernel?.file ?? '', initramfsFile: initramfs, timeline }),
    );
    process.kill(-(guests[1]?.pid ?? 0), 'SIGKILL');
    expect(() => bootGuests(guests, timeline)).to.throw(
      GuestDied,
      /^the guest b died: its process was ended by SIGKILL/,
    );
    for (const guest of guests) guest[Symbol.dispose]();
  });
});
