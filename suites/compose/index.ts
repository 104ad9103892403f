export { DEFAULT_TOXICS, throughToxiproxy } from './through-toxiproxy.js';
