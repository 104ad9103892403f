export { AttachRefused, NoSuchTarget } from './attach-errors.js';
export { type Attachment, type AttachOptions, attach, type Present } from './attachment.js';
export { type AttachCapability, attachCapability } from './hooks.js';
export { countRules, type RuleCounts } from './namespace-rules.js';
export { listenersAmong, listeningText, socketsIn } from './namespace-sockets.js';
export type { PairedEnd } from './paired-start.js';
export {
  openPairedWire,
  type PairedWire,
  type PairedWireOptions,
  type Through,
} from './paired-wire.js';
export { serveWire, type WireProcess, type WireProcessOptions } from './remote/index.js';
export { type Swept, sweepNamespaces } from './sweep.js';
export { type EnteredTarget, openTarget, type Target, type TargetWords, targetOfPid } from './target.js';
export type { WireRecording } from './watched-wire.js';
