/** The wire's thread: one for all labs of a process. `WireThread` starts it. */
import { parentPort, workerData } from 'node:worker_threads';
import { Commander } from './commander.js';
import { LabWire } from './lab-wire.js';
import { Labs } from './labs.js';
import { Outbox } from './outbox.js';
import { OwnPort } from './own-port.js';
import { PacketLoop } from './packet-loop.js';
import { PacketPorts } from './packet-port.js';
import type { OpenWire, ThreadOptions } from './protocol.js';
import { Sleeper } from './sleeper.js';
import { LabClock, ThreadClock } from './thread-clock.js';

/** The MTU of labs that ask for none: their port is opened at once, so that what is missing shows at the start. */
const USUAL_MTU = 1500;

function main(): void {
  if (parentPort === null) throw new Error('worker.js runs as a thread: use WireThread');
  const port = parentPort;
  // `WireThread` is the only one to start this.
  const options = workerData as ThreadOptions;
  const clock = new ThreadClock(options.epochNs);
  const outbox = new Outbox(port, clock.now);
  const labs = new Labs();
  const ownPort = new OwnPort();
  const ports = new PacketPorts({
    namespaceFds: options.namespaceFds,
    mac: options.mac,
    onSendFailure: (ifindex, error) => {
      const end = labs.byLink(ifindex);
      end?.wire.fail(`a packet could not be handed to the ${end.side}'s link: ${error.message}`);
    },
  });
  ports.portFor(USUAL_MTU);
  const openLab = (lab: number, open: OpenWire): void => {
    const labClock = new LabClock(clock, open.epochNs);
    const portFor = (mtu: number) => ports.portFor(mtu);
    labs.add(new LabWire({ lab, open, clock: labClock, outbox, ownPort, portFor }));
  };
  const commander: Commander = new Commander({
    port,
    posted: options.posted,
    labs,
    outbox,
    ownPort,
    openLab: (lab, request) => openLab(lab, request.options),
    catchUp: () => loop.catchUp(),
    flush: () => ports.flush(),
    stampErrorNs: () => loop.alignment.errorNs,
    epochUnixNs: (epochNs) => loop.alignment.epochUnixNs + (epochNs - options.epochNs),
  });
  const loop: PacketLoop = new PacketLoop({
    clock,
    ports,
    labs,
    outbox,
    sleeper: new Sleeper(options.wakeFd),
    obey: () => commander.obey(),
    isEnding: () => commander.isEnding,
    mayWatch: options.mayWatch,
  });
  loop.run();
  port.close();
}

main();
