/** For this folder's tests: an engine, and images of a name that nobody else has. */
import { randomBytes } from 'node:crypto';
import { messageOf } from '../../text/index.js';
import { Engine } from '../engine/index.js';
import { LABEL } from './image-build.js';
import { removeImages } from './images-state.js';
import { IMAGE_KINDS } from './kinds.js';

/** What the names of a test's images begin with. */
export const testRepository = (): string => `lastack-test-${randomBytes(4).toString('hex')}`;

/** In a `before` hook: skips, and says why, where there is none. */
export async function needsEngine(context: Mocha.Context): Promise<Engine> {
  try {
    return await Engine.connect();
  } catch (error) {
    process.stderr.write(`skipped: ${messageOf(error)}\n`);
    return context.skip();
  }
}

export const removeAll = async (engine: Engine, repository: string): Promise<void> => {
  await removeImages(engine.docker, IMAGE_KINDS, repository);
};

/** What a build of this image has on the way: images that have no name yet, and containers. */
export async function onTheWay({ docker }: Engine, name: string): Promise<readonly string[]> {
  const label = [LABEL.build, `${LABEL.name}=${name}`];
  const images = await docker.listImages({ filters: { label, dangling: ['true'] } });
  const containers = await docker.listContainers({ all: true, filters: { label } });
  return [...images, ...containers].map(({ Id }) => Id);
}
