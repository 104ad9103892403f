export * from './lab.js';
export { LabUnavailable } from './netns/explain.js';
export { openNetnsLab } from './netns/netns-lab.js';
export {
  type NetnsCapability,
  netnsCapability,
  reexecInUserNamespace,
  userNamespaceCommand,
  userNamespaceEnvironment,
} from './netns/privilege.js';
