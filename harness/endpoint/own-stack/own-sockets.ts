/** The sockets of the project's own TCP with their states and timers, as sock_diag shows those of a kernel. */
import {
  NANOS_PER_MS,
  NEVER,
  type TcpListener,
  type TcpSocket,
  type TcpStack,
} from '../../../stack/index.js';
import type { SocketState } from '../endpoint.js';

export function socketStates(stack: TcpStack): readonly SocketState[] {
  const nowNs = stack.now();
  return [
    ...stack.listeners.map(listenerState),
    ...[...stack.sockets].map((socket) => connectionState(socket, nowNs)),
  ];
}

const listenerState = ({ local, waiting, backlog }: TcpListener): SocketState => ({
  local,
  remote: { ip: local.ip, port: 0 },
  state: 'LISTEN',
  recvQueueOctets: waiting,
  sendQueueOctets: backlog,
});

function connectionState(socket: TcpSocket, nowNs: number): SocketState {
  const { local, remote, state, available, block } = socket;
  const timer = timerOf(socket, nowNs);
  return {
    local,
    remote,
    state,
    recvQueueOctets: available,
    sendQueueOctets: block.sendOctets,
    ...(timer === undefined ? {} : { timer }),
  };
}

/** The one of the connection's timers that is told first where several run. */
function timerOf({ block }: TcpSocket, nowNs: number): SocketState['timer'] {
  const { linger, retransmit, tailLossProbe, reorder, persist, keepAlive } = block.timers;
  const rows = [
    { name: 'time-wait', atNs: linger, retransmits: 0 },
    { name: 'retransmit', atNs: Math.min(retransmit, tailLossProbe, reorder), retransmits: block.retries },
    { name: 'probe', atNs: persist, retransmits: block.retries },
    { name: 'keep-alive', atNs: keepAlive, retransmits: block.keepAlives },
  ] as const;
  const running = rows.find(({ atNs }) => atNs !== NEVER);
  if (running === undefined) return undefined;
  const { name, atNs, retransmits } = running;
  return { name, remainsMs: Math.max((atNs - nowNs) / NANOS_PER_MS, 0), retransmits };
}
