/** All that a control block holds, as plain data that can be compared: rings and lists by what is in them. */
import { seqDiff } from '../../harness/segment/index.js';
import type { ControlBlock } from '../tcp/index.js';

export function blockSnapshot(block: ControlBlock): Readonly<Record<string, unknown>> {
  const { sendRing, receiveRing, sent, sendOctets, receiveOctets, early, rcvNxt, ...rest } = block;
  const last = early.at(-1);
  const used = receiveOctets + (last === undefined ? 0 : seqDiff(last.right, rcvNxt));
  return structuredClone({
    ...rest,
    early,
    rcvNxt,
    sendOctets,
    receiveOctets,
    sendCapacity: sendRing.capacity,
    receiveCapacity: receiveRing.capacity,
    toSend: sendOctets <= sendRing.capacity ? sendRing.read(0, sendOctets) : undefined,
    // Places between what came early hold nothing that counts.
    received: receiveOctets <= receiveRing.capacity ? receiveRing.read(0, receiveOctets) : undefined,
    used,
    records: Array.from({ length: sent.count }, (_, i) => sent.at(i)),
  });
}
