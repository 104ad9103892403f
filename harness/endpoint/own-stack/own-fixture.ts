/** For tests: endpoints of the project's own TCP, both at one host, whose packets come back to it. */

import type { Drive, Place } from '../loopback-fixture.js';
import { SocketEndpoint } from '../socket-endpoint.js';
import { OwnService } from './own-service.js';
import { OwnHost, ownStackName } from './own-stack-endpoint.js';
import { RemoteOwnStack } from './remote-own-stack.js';

/** Large, as that of a loopback is. */
const MTU = 65_535;

export function loopbackHost({ ip, clock }: Pick<Place, 'ip' | 'clock'>): OwnHost {
  const host: OwnHost = new OwnHost({
    ip,
    clock,
    mtu: MTU,
    output: (packet) => queueMicrotask(() => host.deliver(packet)),
  });
  return host;
}

export const driveOwn: Drive = (place) => {
  const host = loopbackHost(place);
  return {
    client: host.endpoint('client', place.log),
    server: host.endpoint('server', place.log),
    free: () => host[Symbol.dispose](),
  };
};

/** As between threads: whatever is said is copied. */
export const driveOwnFromAfar: Drive = (place) => {
  const host = loopbackHost(place);
  const make = (side: 'client' | 'server') => {
    const service = new OwnService(host);
    const driver = new RemoteOwnStack(async (call) =>
      structuredClone(await service.answer(structuredClone(call))),
    );
    return new SocketEndpoint({ ...place, side, stack: ownStackName(), driver });
  };
  return { client: make('client'), server: make('server'), free: () => host[Symbol.dispose]() };
};
