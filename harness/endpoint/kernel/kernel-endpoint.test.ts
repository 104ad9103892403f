import { readdirSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { expect } from 'chai';
import { Loopback, rejection } from '../loopback-fixture.js';

describe('the kernel endpoint', () => {
  it('is named after the kernel', async () => {
    await using loopback = new Loopback(4);
    expect(loopback.client.stack).to.equal(`linux@${release()}`);
  });

  it('leaves no descriptor open at its end', async () => {
    await using loopback = new Loopback(4);
    await loopback.pair();
    const before = openDescriptors();
    const another = new Loopback(4);
    const { server } = await another.pair();
    const waiting = rejection(server.receive());
    await another[Symbol.asyncDispose]();
    await waiting;
    expect(openDescriptors()).to.deep.equal(before);
  });
});

function openDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [`${fd} ${readlinkSync(`/proc/self/fd/${fd}`)}`];
    } catch {
      return []; // The descriptor that read the directory itself.
    }
  });
}
