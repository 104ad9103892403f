/** A container that somebody else made, as what can be attached to: the network namespace of its first process. */
import type { Engine, FoundContainer } from '../../docker/index.js';
import { AttachRefused, type EnteredTarget, openTarget } from '../attached/index.js';

/** `container web-1 (nginx:1.27, process 1234)`. */
export const containerText = ({ name, image, pid }: Pick<FoundContainer, 'name' | 'image' | 'pid'>): string =>
  `container ${name} (${image}, process ${pid})`;

/** Throws `NoSuchTarget` or `AttachRefused`, in one sentence. */
export function targetOfContainer(
  { isLocal, text: engine }: Pick<Engine, 'isLocal' | 'text'>,
  container: FoundContainer,
): EnteredTarget {
  const text = containerText(container);
  if (!isLocal)
    throw new AttachRefused(
      `container ${container.name} runs where ${engine} does, and its processes cannot be seen from here: run lastack on that machine, as root`,
    );
  const gone = `container ${container.name} does not run any more: it has just ended`;
  return openTarget(container.pid, { text, missing: gone, gone });
}
