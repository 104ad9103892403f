export { AttachRefused, NoSuchTarget } from './attach-errors.js';
export { type Attachment, type AttachOptions, attach, type Present } from './attachment.js';
export { type AttachCapability, attachCapability } from './hooks.js';
export { countRules } from './namespace-rules.js';
export { type Swept, sweepNamespaces } from './sweep.js';
export { type Target, targetOfPid } from './target.js';
