export * from './lab.js';
export { openNetnsLab } from './netns/netns-lab.js';
