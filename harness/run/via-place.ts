/** Where scenarios with Toxiproxy in the middle are played. */
import { imageName } from '../docker/index.js';
import { openToxiproxyContainers, openToxiproxyNetns, sharedEngine } from '../lab/index.js';
import { toxiproxyServer } from '../toxiproxy/index.js';
import type { RecordViaOptions } from './record-via.js';
import { type WhereOptions, wirePlaceIn } from './where.js';

export interface ViaPlace {
  readonly lab: 'netns' | 'docker';
  readonly openLab: NonNullable<RecordViaOptions['openLab']>;
  /** What all of them need is there, or made. Rejects with one sentence, which is better said once than of each. */
  ready(): Promise<unknown>;
}

/** Undefined for a lab in which there is no Toxiproxy: it runs in real time only. Throws NoSuchPlace for a wire elsewhere than it can be. */
export function viaPlace(where: Pick<WhereOptions, 'lab' | 'wire'>): ViaPlace | undefined {
  const { lab } = where;
  const wire = wirePlaceIn(where);
  switch (lab) {
    case 'netns':
      return { lab, openLab: openToxiproxyNetns, ready: toxiproxyServer };
    case 'docker':
      return {
        lab,
        openLab: (options) => openToxiproxyContainers({ ...options, wire }),
        ready: containersReady,
      };
    default:
      return undefined;
  }
}

async function containersReady(): Promise<void> {
  const engine = await sharedEngine();
  for (const kind of ['endpoint', 'toxiproxy'] as const) await engine.needImage(imageName(kind));
}
