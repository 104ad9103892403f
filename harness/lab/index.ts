export { ApplicationEnded } from './application/application-endpoint.js';
export * from './attached/index.js';
export {
  type ApplicationLabsOptions,
  applicationLabs,
  refusedByApplications,
} from './docker/application-labs.js';
export { Belongings } from './docker/belongings.js';
export { ComposeLabs, type ComposeOptions } from './docker/compose/compose-labs.js';
export {
  type ApplicationOptions,
  ContainerApplication,
  type OtherSetting,
} from './docker/container-application.js';
export { type FreedTarget, reachContainer } from './docker/container-reach.js';
export { containerText, targetOfContainer } from './docker/container-target.js';
export { type DockerLabsOptions, dockerLabs } from './docker/docker-lab.js';
export type { DockerPlace, DockerPlaces } from './docker/docker-place.js';
export type { EnginesApart } from './docker/engines-apart.js';
export { ownBoxContainer } from './docker/own-box-container.js';
export { closeSharedEngine, sharedEngine } from './docker/shared-engine.js';
export { ToxiproxyContainer, type ToxiproxyContainerOptions } from './docker/toxiproxy-container.js';
export { openToxiproxyContainers, type ViaContainersOptions } from './docker/toxiproxy-containers.js';
export {
  type ContainersWireOptions,
  openContainersWire,
  WIRE_PLACES,
  type WirePlace,
} from './docker/wire-place.js';
export * from './lab.js';
export { type BarePair, openBarePair } from './netns/bare-pair.js';
export { LabUnavailable } from './netns/explain.js';
export { NetnsLab, type NetnsStack, type NetnsStacks, netnsLabs, openNetnsLab } from './netns/netns-lab.js';
export {
  type NetnsCapability,
  netnsCapability,
  reexecInUserNamespace,
  userNamespaceCommand,
  userNamespaceEnvironment,
} from './netns/privilege.js';
export { openToxiproxyNetns } from './via/toxiproxy-netns.js';
export {
  LEG_NAMES,
  type LegName,
  type ViaLab,
  type ViaOptions,
} from './via/via-lab.js';
export { LATENCY_NS, VirtualLab, type VirtualStacks, virtualLabs } from './virtual/virtual-lab.js';
export { World } from './virtual/world.js';
