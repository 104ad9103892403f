import { deepEqual, equal } from 'node:assert/strict';
import { VirtualClock } from '../../simulation/virtual-clock.js';
import { Neighbours } from './neighbours.js';

const IP = '192.0.2.7';
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 7);
const OTHER = Uint8Array.of(2, 0, 0, 0, 0, 8);

function make() {
  const clock = new VirtualClock();
  const asked: { readonly atS: number; readonly ip: string; readonly mac: Uint8Array | undefined }[] = [];
  const neighbours = new Neighbours(clock, (ip, mac) => asked.push({ atS: clock.now() / 1e9, ip, mac }));
  return { clock, asked, neighbours };
}

describe('The cache of neighbours', () => {
  it('asks three times, a second apart, and gives up', () => {
    const { clock, asked, neighbours } = make();
    equal(neighbours.find(IP), undefined);
    clock.run();
    deepEqual(
      asked.map(({ atS }) => atS),
      [0, 1, 2],
    );
    equal(neighbours.count, 0);
  });

  it('lets go what waited once the answer comes', () => {
    const { neighbours } = make();
    let sent = 0;
    neighbours.find(IP);
    neighbours.whenKnown(IP, () => (sent += 1));
    neighbours.whenKnown(IP, () => (sent += 1));
    neighbours.learn(IP, MAC, true);
    deepEqual([sent, neighbours.find(IP)], [2, MAC]);
  });

  it('keeps so many packets for one address, the latest', () => {
    const { neighbours } = make();
    const sent: number[] = [];
    neighbours.find(IP);
    for (let i = 0; i < 100; i += 1) neighbours.whenKnown(IP, () => sent.push(i));
    neighbours.learn(IP, MAC, true);
    deepEqual([sent.length, sent[0], sent.at(-1)], [64, 36, 99]);
  });

  it('asks the one it knows after half a minute, and uses what it knows meanwhile', () => {
    const { clock, asked, neighbours } = make();
    neighbours.learn(IP, MAC, false);
    clock.run(29e9);
    deepEqual([neighbours.find(IP), asked.length], [MAC, 0]);
    clock.run(31e9);
    deepEqual([neighbours.find(IP), asked], [MAC, [{ atS: 31, ip: IP, mac: MAC }]]);
    neighbours.learn(IP, OTHER, true);
    clock.run(40e9);
    deepEqual([neighbours.find(IP), asked.length], [OTHER, 1]);
  });

  it('believes no answer that nobody asked for', () => {
    const { neighbours } = make();
    neighbours.learn(IP, MAC, true);
    equal(neighbours.count, 0);
  });

  it('is bounded, whatever addresses are made up', () => {
    const { neighbours } = make();
    for (let i = 0; i < 5000; i += 1) neighbours.learn(`10.0.${i >> 8}.${i & 255}`, MAC, false);
    equal(neighbours.count, 1024);
  });
});
