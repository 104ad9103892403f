/** SEGMENT ARRIVES where there is no connection yet: CLOSED and LISTEN, RFC 9293 sections 3.10.7.1 and 3.10.7.2. */
import { FLAG, type Segment } from '../../harness/segment/index.js';
import type { ControlBlock } from './control-block.js';
import { resetFor } from './emit.js';
import { openPassive } from './open.js';
import type { Step } from './step.js';

/** "All data in the incoming segment is discarded", and what is no RST is answered with one. */
export function arrivesInClosed(block: ControlBlock, step: Step, segment: Segment): void {
  const reset = resetFor(segment, block.settings.hopLimit);
  if (reset !== undefined) step.segments.push(reset);
}

/** What a segment is to somebody who listens: a RST is ignored, an ACK is bad, a SYN opens, and anything else is dropped. */
export function inListen({ flags }: Pick<Segment, 'flags'>): 'ignore' | 'reset' | 'open' {
  if ((flags & FLAG.RST) !== 0) return 'ignore';
  if ((flags & FLAG.ACK) !== 0) return 'reset';
  return (flags & FLAG.SYN) === 0 ? 'ignore' : 'open';
}

export function arrivesInListen(block: ControlBlock, step: Step, segment: Segment): void {
  const meaning = inListen(segment);
  if (meaning === 'open') openPassive(block, step, segment);
  else if (meaning === 'reset') arrivesInClosed(block, step, segment);
}
