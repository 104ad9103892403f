/** The requests that a socket answers at once: what each calls, and what it makes of the result. */

import { messageOf } from '../../text/index.js';
import { numberOfState } from '../agent/agent-events.js';
import type { OptionValue, ReplyBody, RequestBody } from '../agent/agent-requests.js';
import { OPTION_KINDS, SHUTDOWN_HOW } from '../agent/agent-requests.js';
import { encodeTcpInfo } from '../encode-tcp-info.js';
import { Unsupported } from '../endpoint.js';
import type { PolledSocket } from '../polled-socket.js';
import { decodeOption, encodeOption, type SocketOption, socketOption } from '../socket-options.js';
import { BadRequest } from './answer-queue.js';

export type CallName =
  | 'BIND'
  | 'LISTEN'
  | 'SHUTDOWN'
  | 'SET_OPTION'
  | 'GET_OPTION'
  | 'INFO'
  | 'QUEUES'
  | 'AT_MARK'
  | 'ERROR'
  | 'POLL';

type Calls = {
  readonly [N in CallName]: (socket: PolledSocket, body: RequestBody<N>) => ReplyBody<N>;
};

const INFO_LINUX = 1;
const MOST_BACKLOG = 2 ** 31 - 2;

export const SOCKET_CALLS: Calls = {
  BIND: (socket, { address }) => {
    socket.bind(address);
    return { local: socket.localAddress() };
  },
  LISTEN: (socket, { backlog }) => ({
    local: socket.listen(socket.localAddress(), Math.min(backlog, MOST_BACKLOG)),
  }),
  SHUTDOWN: (socket, { how }) => {
    const found = SHUTDOWN_NAMES.find((name) => SHUTDOWN_HOW[name] === how);
    if (found === undefined) throw new BadRequest('how is 1, 2 or 3');
    socket.shutdown(found);
    return {};
  },
  SET_OPTION: (socket, { name, value }) => {
    const option = optionNamed(name);
    socket.setOption(option, asGiven(option, value));
    return {};
  },
  GET_OPTION: (socket, { name, kind }) => {
    const option = optionNamed(name);
    return { value: asValue(option, socket.getOption(option), kind) };
  },
  INFO: (socket) => {
    const info = socket.info();
    return { kind: INFO_LINUX, state: numberOfState(info.state), octets: encodeTcpInfo(info) };
  },
  QUEUES: (socket) => socket.queues(),
  AT_MARK: (socket) => ({ isAtMark: socket.isAtUrgentMark() }),
  ERROR: (socket) => ({ errno: socket.takeError() ?? '' }),
  POLL: (socket) => {
    const { readable, writable, urgent, peerClosed, hungUp, error } = socket.poll();
    const bits = [readable, writable, urgent, peerClosed, hungUp, error];
    return { events: bits.reduce((events, isSet, at) => events | (isSet ? 1 << at : 0), 0) };
  },
};

const SHUTDOWN_NAMES = ['read', 'write', 'both'] as const;

function optionNamed(name: string): SocketOption {
  try {
    return socketOption(name);
  } catch (error) {
    throw new Unsupported(messageOf(error));
  }
}

const isText = ({ form }: SocketOption): boolean => form === 'text' || form === 'hex';

function asGiven(option: SocketOption, value: OptionValue): number | string {
  if (value.kind === 'octets') return fitting(option, () => decodeOption(option, value.octets));
  const given = value.kind === 'number' ? value.number : value.text;
  const isOfItsKind = typeof given === 'string' ? option.form === 'text' : !isText(option);
  if (!isOfItsKind) throw new BadRequest(`the value of ${option.name} is of another kind`);
  if (typeof given === 'number' && (option.form === 'int' || option.form === 'uint'))
    return int32(option, given);
  return given;
}

function int32({ name, form }: SocketOption, number: number): number {
  if (number < -(2 ** 31) || number >= 2 ** 32)
    throw new BadRequest(`the value of ${name} has more than 32 bits`);
  return form === 'int' ? number | 0 : number >>> 0;
}

function asValue(option: SocketOption, value: number | string, kind: number): OptionValue {
  const wanted = kind === 0 ? OPTION_KINDS[typeof value === 'number' ? 'number' : textKind(option)] : kind;
  if (wanted === OPTION_KINDS.octets)
    return { kind: 'octets', octets: fitting(option, () => encodeOption(option, value)) };
  if (wanted === OPTION_KINDS.number && typeof value === 'number') return { kind: 'number', number: value };
  if (wanted === OPTION_KINDS.text && typeof value === 'string') return { kind: 'text', text: value };
  throw new BadRequest(`the value of ${option.name} is of another kind`);
}

const textKind = ({ form }: SocketOption): 'octets' | 'text' => (form === 'hex' ? 'octets' : 'text');

/** Octets of another length, or a value that they cannot hold. */
function fitting<T>({ name }: SocketOption, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof RangeError)
      throw new BadRequest(`the value of ${name} does not fit: ${error.message}`);
    throw error;
  }
}
