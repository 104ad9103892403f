/** `lastack images build`, `list` and `remove`: the images of this project in a Docker engine, for people. */
import type { BuiltImage, Engine, ImageKind, ImageState } from '../docker/index.js';
import { didYouMean } from '../text/index.js';
import { BuildError, type Step } from '../uml/index.js';
import { BuildProgress } from './build-progress.js';
import { EnvironmentError, EXIT, UsageError } from './exit.js';
import { onInterrupt } from './interrupt.js';
import type { Options } from './program.js';

type Docker = typeof import('../docker/index.js');

/** What a shell makes of SIGINT. */
const INTERRUPTED = 130;

/** Builds each in turn, and what it stands on. Ctrl-C ends it and leaves nothing on the way. */
export async function imagesBuild(names: readonly string[], { force = false }: Options): Promise<number> {
  const docker = await loaded();
  const kinds = docker.withBases(kindsOf(docker, names));
  const interrupted = new AbortController();
  onInterrupt(() => interrupted.abort());
  try {
    return await withEngine(docker, async ({ docker: client }) => {
      for (const kind of kinds) {
        const progress = new BuildProgress(docker.imageName(kind), process.stderr);
        const onStep = (_: ImageKind, step: Step): void => progress.show(step);
        try {
          // What others stand on is built again only by its own name.
          const isForced = force && (names.length === 0 || names.includes(kind));
          const options = { force: isForced, signal: interrupted.signal };
          const built = await docker.ensureImage(client, kind, onStep, options);
          progress.end();
          say(sentenceOf(built, progress.elapsed()));
        } finally {
          progress.end();
        }
      }
      return EXIT.asExpected;
    });
  } catch (error) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    onInterrupt(undefined);
  }
}

const sentenceOf = ({ name, octets, isNew, way }: BuiltImage, elapsed: string): string =>
  isNew
    ? `${name} built in ${elapsed} ${way}: ${megabytes(octets)}`
    : `${name} is there and up to date (${way})`;

/** What the engine has, how old, and how it was made. */
export async function imagesList(): Promise<number> {
  const docker = await loaded();
  return withEngine(docker, async (engine) => {
    const states = await docker.imagesState(engine.docker);
    const widest = Math.max(...states.map(({ name }) => name.length));
    for (const state of states) say(`  ${state.name.padEnd(widest)}  ${rowOf(state)}`);
    say(`in ${engine.text}`);
    return EXIT.asExpected;
  });
}

function rowOf({ kind, isThere, isUpToDate, octets, createdAt, way }: ImageState): string {
  const command = `"lastack images build ${kind}"`;
  if (!isThere) return `not there: ${command} builds it`;
  const age = isUpToDate ? 'up to date' : `out of date: ${command} builds it again`;
  return `${megabytes(octets).padStart(8)}  ${createdAt.slice(0, 16).replace('T', ' ')}  ${age}  (${way})`;
}

/** All versions of those named, or of all. */
export async function imagesRemove(names: readonly string[]): Promise<number> {
  const docker = await loaded();
  const kinds = kindsOf(docker, names);
  return withEngine(docker, async (engine) => {
    const removed = await docker.removeImages(engine.docker, kinds);
    for (const name of removed) say(`${name} removed`);
    if (removed.length === 0) say(`there is none of these images in ${engine.text}`);
    return EXIT.asExpected;
  });
}

/** Only these commands take the time to load it. */
const loaded = (): Promise<Docker> => import('../docker/index.js');

async function withEngine(docker: Docker, work: (engine: Engine) => Promise<number>): Promise<number> {
  try {
    await using engine = await docker.Engine.connect();
    return await work(engine);
  } catch (error) {
    if (error instanceof BuildError || error instanceof docker.EngineError)
      throw new EnvironmentError(error.message);
    throw error;
  }
}

function kindsOf({ IMAGE_KINDS }: Docker, names: readonly string[]): readonly ImageKind[] {
  for (const name of names)
    if (!IMAGE_KINDS.some((kind) => kind === name))
      throw new UsageError(
        `there is no image "${name}"${didYouMean(name, IMAGE_KINDS) || `: there are ${IMAGE_KINDS.join(', ')}`}`,
      );
  return names.length === 0 ? IMAGE_KINDS : IMAGE_KINDS.filter((kind) => names.includes(kind));
}

const megabytes = (octets: number): string => `${(octets / 1e6).toFixed(1)} MB`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
