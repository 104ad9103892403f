/**
 * The thread of the project's own TCP in real time: one for all labs of a process, for nothing must keep its timers waiting. `OwnThread`
 * starts it. Packets go to the wire's thread and come from there without the main thread.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { RealClock } from '../../../clock/index.js';
import { type OwnAnswer, OwnService, refusalOf } from '../../../endpoint/index.js';
import type { Side } from '../../../fault/index.js';
import { libc } from '../../../sys/index.js';
import { messageOf } from '../../../text/index.js';
import { OwnSide } from '../../own-side.js';
import type {
  OpenOwnSide,
  OwnCommand,
  OwnPacket,
  OwnReport,
  OwnThreadOptions,
  Reported,
  StampedPacket,
} from './protocol.js';

interface Served {
  readonly own: OwnSide;
  readonly service: OwnService;
}

const { wire, wakeFd, posted } = workerData as OwnThreadOptions;
const sides = new Map<string, Served>();
const ONE = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);

const keyOf = (lab: number, side: Side): string => `${lab} ${side}`;

const report = (message: OwnReport): void => parentPort?.postMessage(message);

function send(packet: StampedPacket): void {
  wire.postMessage(packet);
  Atomics.add(posted, 0, 1);
  libc.write(wakeFd, ONE, ONE.length);
}

function open(lab: number, side: Side, { ip, mtu, settings, epochNs }: OpenOwnSide): void {
  const clock = new RealClock(epochNs);
  const own = new OwnSide({
    side,
    ip,
    mtu,
    settings,
    clock,
    output: (packet) => send({ lab, side, packet, atNs: clock.now() }),
    failed: (error) => report({ kind: 'failed', lab, message: messageOf(error) }),
  });
  sides.set(keyOf(lab, side), { own, service: new OwnService(own.host) });
}

async function answer({ lab, side, request }: OwnCommand): Promise<OwnAnswer> {
  if (request.kind === 'open') return valued(open(lab, side, request.options));
  const served = sides.get(keyOf(lab, side));
  if (served === undefined) throw new Error(`the ${side} of lab ${lab} is closed`);
  switch (request.kind) {
    case 'socket-call':
      return served.service.answer(request.call);
    case 'seen': {
      const { transitions, notes } = served.own.reported;
      return valued<Reported>({ transitions, notes });
    }
    case 'close':
      sides.delete(keyOf(lab, side));
      return valued(served.own[Symbol.dispose]());
  }
}

const valued = <T>(value: T): OwnAnswer => ({ kind: 'value', value });

parentPort?.on('message', (command: OwnCommand) => {
  void answer(command)
    .catch(refusalOf)
    .then((answered) => report({ kind: 'answer', call: command.call, answer: answered }));
});

wire.on('message', ({ lab, side, packet }: OwnPacket) => sides.get(keyOf(lab, side))?.own.deliver(packet));
