export { EthernetDevice, type EthernetOptions } from './ethernet/ethernet-device.js';
export { Routes } from './ethernet/route.js';
export { DeviceError } from './libc.js';
export { Host, type HostOptions, openHost } from './open-host.js';
export type { ArrivalFacts, PacketDevice, Receive } from './packet-device.js';
export { RealClock } from './real-clock.js';
export { TunDevice, type TunOptions } from './tun-device.js';
