/**
 * A lab that is one leg of a longer way: the stack of one side lives in a namespace that other legs lead to as well, and all
 * legs count their time from one epoch.
 */
import type { Side } from '../../fault/index.js';
import type { NetworkNamespace } from '../../sys/index.js';
import type { LinkPlace } from './endpoint-namespace.js';

export interface Leg {
  /** The side whose namespace is shared. Whoever made it ends it, after the lab. */
  readonly side: Side;
  readonly namespace: NetworkNamespace;
  readonly link: LinkPlace;
  readonly epochNs: bigint;
}
