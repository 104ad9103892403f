/** What a connection of the project's own TCP costs: to open, close and wait out TIME-WAIT in virtual time, and to keep. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TcpSocket, TcpStack } from '../stack/host/index.js';
import { SERVER_IP, TwoHosts } from '../stack/simulation/index.js';
import type { Figure } from './figure.js';
import { median } from './statistics.js';

/** As many rounds of as few, so that most are not disturbed; the first ones are for the compiler. */
const CONNECTIONS = 1000;
const ROUNDS = 100;
const WARM_UP_ROUNDS = 30;
const TARGET_A_SECOND = 20_000;
const MICROS_A_SECOND = 1e6;
const PORT = 80;
/** As many are open at a time; TIME-WAIT comes beside. */
const AT_ONCE = 100;
const IDLE = 10_000;

export function stackConnections(): Figure[] {
  for (let i = 0; i < WARM_UP_ROUNDS; i += 1) openAndClose();
  const perSecond = median(Array.from({ length: ROUNDS }, openAndClose));
  const { client, server } = idleConnections();
  return [
    {
      name: 'own TCP: open, close and TIME-WAIT, in virtual time',
      value: `${Math.round(perSecond)} a second of processor`,
      target: { text: `≥ ${TARGET_A_SECOND}/s`, isMet: perSecond >= TARGET_A_SECOND },
    },
    { name: '  memory of an idle connection, the client side', value: `${Math.round(client)} octets` },
    { name: '  the server side', value: `${Math.round(server)} octets` },
  ];
}

/** Connections a second of processor time, which company disturbs less, each from SYN to the end of TIME-WAIT. */
function openAndClose(): number {
  const hosts = new TwoHosts({ client: { ports: { from: 1024, to: 65_535 } } });
  const { client, server, clock } = hosts;
  const listener = server.listen({ port: PORT, backlog: 2 * AT_ONCE });
  listener.onConnection = () => {
    const socket = listener.accept();
    if (socket !== undefined) socket.onNotice = ({ kind }) => kind === 'end' && socket.close();
  };
  let begun = 0;
  const open = (): void => {
    if (begun === CONNECTIONS) return;
    begun += 1;
    const socket = client.connect({ ip: SERVER_IP, port: PORT });
    socket.onNotice = (notice) => {
      if (notice.kind === 'established') socket.close();
      else if (notice.kind === 'state' && notice.to === 'TIME-WAIT') open();
    };
  };
  const before = process.cpuUsage();
  for (let i = 0; i < AT_ONCE; i += 1) open();
  clock.run();
  const { user, system } = process.cpuUsage(before);
  if (begun !== CONNECTIONS || client.socketCount + server.socketCount > 0)
    throw new Error(`${client.socketCount} and ${server.socketCount} connections are left of ${begun}`);
  return CONNECTIONS / ((user + system) / MICROS_A_SECOND);
}

/** Octets of heap and buffers, everything included: one stack's connections are let go of, then the other's. */
function idleConnections(): { readonly client: number; readonly server: number } {
  const hosts = new TwoHosts({ client: { ports: { from: 1024, to: 65_535 } } });
  const { client, server, clock } = hosts;
  const listener = server.listen({ port: PORT, backlog: IDLE });
  const held: Record<'client' | 'server', TcpSocket[]> = { client: [], server: [] };
  listener.onConnection = () => {
    const socket = listener.accept();
    if (socket !== undefined) held.server.push(socket);
  };
  for (let i = 0; i < IDLE; i += 1) held.client.push(client.connect({ ip: SERVER_IP, port: PORT }));
  clock.run(1e9);
  // The heap of timers keeps what was cancelled until its time has come.
  clock.run(200e9);
  const all = octetsInUse();
  letGo(client, held.client);
  const withoutClient = octetsInUse();
  letGo(server, held.server);
  const withoutBoth = octetsInUse();
  return { client: (all - withoutClient) / IDLE, server: (withoutClient - withoutBoth) / IDLE };
}

function letGo(stack: TcpStack, sockets: TcpSocket[]): void {
  if (sockets.some(({ state }) => state !== 'ESTABLISHED')) throw new Error('a connection is not idle');
  stack[Symbol.dispose]();
  sockets.length = 0;
}

function octetsInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void; // V8 gives it to contexts that are made under the flag
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
