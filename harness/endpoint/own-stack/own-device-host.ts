/** The project's own TCP in real time as a host on an Ethernet interface, such as one end of a veth pair, where each segment is a packet. */
import { isIPv6 } from 'node:net';
import { DeviceError, EthernetDevice, Routes } from '../../../stack/index.js';
import { RealClock } from '../../clock/index.js';
import type { PolledStack } from '../polled-socket.js';
import { OwnHost } from './own-stack-endpoint.js';

export { DeviceError };

export interface OwnDeviceHostOptions {
  /** The interface, in the network namespace of the calling thread. */
  readonly link: string;
  /** Its own; nothing else is on the link but the gateways. */
  readonly ips: readonly [string, ...string[]];
  readonly gateways: readonly string[];
  /** As Linux names them, without `net.`. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export class OwnDeviceHost implements Disposable {
  readonly clock = new RealClock(process.hrtime.bigint());
  readonly stack: PolledStack;
  readonly #host: OwnHost;
  readonly #device: EthernetDevice;

  /** Throws `DeviceError` or `Unsupported`, in one sentence. */
  constructor({ link, ips, gateways, settings = {} }: OwnDeviceHostOptions) {
    const [ip, ...moreIps] = ips;
    const addresses = ips.map((each) => `${each}/${isIPv6(each) ? 128 : 32}`);
    this.#device = new EthernetDevice({
      name: link,
      addresses,
      routes: new Routes(addresses, gateways),
      clock: this.clock,
      offload: false,
    });
    const device = this.#device;
    try {
      this.#host = new OwnHost({
        ip,
        moreIps,
        clock: this.clock,
        mtu: device.mtu,
        settings,
        output: (packet) => device.send(packet, 0),
      });
    } catch (error) {
      device[Symbol.dispose]();
      throw error;
    }
    this.stack = this.#host.polled;
    device.start((packet) => this.#host.deliver(packet));
    device.ref();
  }

  /** What has been sent leaves; all else is forgotten without a word to anybody. */
  [Symbol.dispose](): void {
    this.#host[Symbol.dispose]();
    this.#device[Symbol.dispose]();
  }
}
