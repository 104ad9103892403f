/**
 * A queue of the kernel's (NFQUEUE), in the network namespace that it was opened in: packets that a rule sends there wait for a verdict.
 * When the process ends, whatever ends it, the queue is nobody's and rules with `--queue-bypass` let everything pass.
 */
import {
  check,
  checkAgain,
  errnoName,
  libc,
  MSG_DONTWAIT,
  NETLINK_NETFILTER,
  NetlinkSocket,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOL_SOCKET,
  SysError,
} from '../../sys/index.js';
import {
  openRequests,
  type QueuedPacket,
  type QueueVerdict,
  readQueueMessage,
  verdictMessage,
} from './queue-messages.js';

const SOL_NETLINK = 270;
const NETLINK_NO_ENOBUFS = 5;
/** Larger than any message: a packet of 64 KiB and its attributes. */
const BUFFER_OCTETS = 1 << 17;
/** Room for what comes while the thread is elsewhere. */
const RECEIVE_OCTETS = 32 << 20;
/** More than the socket has room for, so that it is the socket that runs over: that can be told from the packets' numbers. */
const MOST_PACKETS = 1 << 20;
const FIRST_NUMBER = 20_000;
const NUMBERS = 40_000;
const MOST_TRIES = 32;
/** The number is another's: of another socket, or of another process's. */
const TAKEN = new Set(['EBUSY', 'EPERM', 'EEXIST']);

export class PacketQueue implements Disposable {
  readonly #socket: NetlinkSocket;
  readonly #buffer = new Uint8Array(BUFFER_OCTETS);
  #lastId = 0;
  #missed = 0;

  private constructor(
    socket: NetlinkSocket,
    readonly number: number,
  ) {
    this.#socket = socket;
  }

  /** In the namespace that the calling thread is in, with a number that nobody has there. */
  static open(): PacketQueue {
    let taken: unknown;
    for (let i = 0; i < MOST_TRIES; i += 1) {
      const number = FIRST_NUMBER + ((process.pid * 7 + i) % NUMBERS);
      const socket = new NetlinkSocket(NETLINK_NETFILTER);
      try {
        setUpSocket(socket.fd);
        for (const request of openRequests(number, MOST_PACKETS)) socket.request(request);
        return new PacketQueue(socket, number);
      } catch (error) {
        socket[Symbol.dispose]();
        if (!(error instanceof SysError && TAKEN.has(error.code))) throw error;
        taken = error;
        // Who may do nothing here would get the same answer for any number.
        if (error.code === 'EPERM' && i > 0) break;
      }
    }
    throw taken;
  }

  /** Readable when packets wait. */
  get fd(): number {
    return this.#socket.fd;
  }

  /** Packets that passed unseen, since nobody took them out in time. */
  get missed(): number {
    return this.#missed;
  }

  /** The next packet that waits, to be given a verdict, once. Its octets are this queue's until the next call. */
  next(): QueuedPacket | undefined {
    for (;;) {
      const octets = checkAgain(
        libc.recv(this.fd, this.#buffer, this.#buffer.length, MSG_DONTWAIT),
        'recv(NFQUEUE)',
      );
      if (octets === undefined) return undefined;
      const message = readQueueMessage(this.#buffer.subarray(0, octets));
      if (message?.kind === 'error') throwUnlessGone(message.errno);
      if (message?.kind !== 'packet') continue;
      const { packet } = message;
      this.#missed += packet.id - this.#lastId - 1;
      this.#lastId = packet.id;
      return packet;
    }
  }

  /** With a `packet`, that goes on instead of the one that came. The kernel has carried it on when this returns. */
  decide(id: number, verdict: QueueVerdict, packet?: Uint8Array): void {
    const changed = packet === undefined ? {} : { packet };
    const message = verdictMessage({ queue: this.number, id, verdict, ...changed });
    check(libc.send(this.fd, message, message.length, 0), 'send(NFQUEUE verdict)');
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}

function setUpSocket(fd: number): void {
  const set = (level: number, name: number, value: number): number =>
    libc.setsockopt(fd, level, name, new Uint8Array(Int32Array.of(value).buffer), 4);
  // What finds no room passes, and the numbers tell: no error at the next call.
  check(set(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1), 'setsockopt(NETLINK_NO_ENOBUFS)');
  // Beyond net.core.rmem_max for root alone.
  if (set(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_OCTETS) < 0) set(SOL_SOCKET, SO_RCVBUF, RECEIVE_OCTETS);
}

/** What waited for a link that went down is gone already. */
function throwUnlessGone(errno: number): void {
  const code = errnoName(errno);
  if (errno !== 0 && code !== 'ENOENT') throw new SysError(code, 'NFQUEUE verdict');
}
