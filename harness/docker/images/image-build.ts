/**
 * One build of one image in the engine, to be had under its name all at once or not at all. What is on the way carries the build's
 * label; when the build ends early, by an error or a signal, that is removed.
 */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import type { OnStep } from '../../uml/index.js';
import { type PlacedFile, tar } from '../engine/index.js';
import { changesOf, type Labels, labelLine, labelled } from './dockerfile.js';
import { happenings, isStatus } from './engine-stream.js';

/** On each image, and on what is on the way to it. */
export const LABEL = {
  image: 'lastack.image',
  name: 'lastack.name',
  recipe: 'lastack.recipe',
  way: 'lastack.way',
  build: 'lastack.build',
} as const;

export interface BuildContext {
  /** The Dockerfile among them. */
  readonly files: readonly PlacedFile[];
  readonly args?: Readonly<Record<string, string>>;
}

/** No build lasts that long: what is older and has no name was left by a process that was killed. */
const LEFT_AFTER_MS = 3600 * 1000;
/** The engine hears of a client that is gone after the step that it is at. */
const CLEARS_WITHIN_MS = 10_000;
const LOOKS_EVERY_MS = 200;

export class ImageBuild {
  readonly #docker: Dockerode;
  readonly #labels: Labels;
  readonly #onStep: OnStep;
  readonly #signal: AbortSignal;
  readonly #id = Math.random().toString(36).slice(2, 12);

  constructor(
    docker: Dockerode,
    labels: Labels,
    { onStep, signal }: { readonly onStep: OnStep; readonly signal: AbortSignal },
  ) {
    this.#docker = docker;
    this.#labels = { ...labels, [LABEL.build]: this.#id };
    this.#onStep = onStep;
    this.#signal = signal;
  }

  /** As `docker build` does; the image has no name yet. The Dockerfile gets our labels. */
  build({ files, args = {} }: BuildContext, labels: Labels): Promise<string> {
    return this.#clearing(async () => {
      const all = { ...this.#labels, ...labels };
      const context = tar(files.map((file) => (file.path === 'Dockerfile' ? withLabels(file, all) : file)));
      const stream = await this.#docker.buildImage(
        Readable.from(context),
        // The older builder: it is in every engine, and needs no session.
        {
          version: '1',
          buildargs: { ...args },
          rm: true,
          forcerm: true,
          nocache: true,
          abortSignal: this.#signal,
        },
      );
      let id: string | undefined;
      for await (const { stream: text, aux } of happenings(stream)) {
        const [, step, of, what] = /^Step (\d+)\/(\d+) : (.*)/.exec(text ?? '') ?? [];
        if (what !== undefined && !/^(ARG|FROM|LABEL) /.test(what))
          this.#onStep({ doing: `step ${step} of ${of}, ${what.slice(0, 50)}` });
        id = aux?.ID ?? id;
      }
      return known(id);
    });
  }

  /** As `docker import` does, of a tar archive or the path of one; what the image is told besides stands in the Dockerfile. */
  import(archive: Buffer | string, dockerfile: string, labels: Labels): Promise<string> {
    return this.#clearing(async () => {
      this.#onStep({ doing: 'importing' });
      const from = typeof archive === 'string' ? createReadStream(archive) : Readable.from(archive);
      const stream = await this.#docker.importImage(from, {
        changes: [...changesOf(dockerfile), labelLine({ ...this.#labels, ...labels })],
        abortSignal: this.#signal,
      });
      let id: string | undefined;
      for await (const { status } of happenings(stream))
        id = /^sha256:[0-9a-f]{64}$/.exec(status ?? '')?.[0] ?? id;
      return known(id);
    });
  }

  /** From now on the name is this image's. The one that had it goes, unless somebody uses it. */
  async name(id: string, name: string): Promise<void> {
    const before = await idOf(this.#docker, name);
    const at = name.lastIndexOf(':');
    await this.#docker.getImage(id).tag({ repo: name.slice(0, at), tag: name.slice(at + 1) });
    if (before !== undefined && before !== id) await removeUnlessUsed(this.#docker, before);
  }

  async #clearing(work: () => Promise<string>): Promise<string> {
    try {
      this.#signal.throwIfAborted();
      const id = await work();
      this.#signal.throwIfAborted();
      return id;
    } catch (error) {
      await this.#clear();
      throw error;
    }
  }

  /** Until two looks, one after the other, find nothing. */
  async #clear(): Promise<void> {
    const label = [`${LABEL.build}=${this.#id}`];
    const deadlineMs = performance.now() + CLEARS_WITHIN_MS;
    for (let quiet = 0; quiet < 2 && performance.now() < deadlineMs; await sleep(LOOKS_EVERY_MS)) {
      const containers = await this.#docker.listContainers({ all: true, filters: { label } });
      for (const { Id } of containers)
        await this.#docker
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => {}); // the engine removes it too
      const images = await this.#docker.listImages({ filters: { label, dangling: ['true'] } });
      for (const { Id } of images) await removeUnlessUsed(this.#docker, Id);
      quiet = containers.length + images.length === 0 ? quiet + 1 : 0;
    }
  }
}

function withLabels(dockerfile: PlacedFile, labels: Labels): PlacedFile {
  const text = labelled(Buffer.from(dockerfile.content).toString(), labels);
  return { ...dockerfile, content: Buffer.from(text) };
}

/** Removes what builds of processes that were killed have left. */
export async function sweepBuilds(docker: Dockerode, nowMs: number = Date.now()): Promise<void> {
  const images = await docker.listImages({ filters: { label: [LABEL.build], dangling: ['true'] } });
  for (const { Id, Created } of images)
    if (nowMs - Created * 1000 > LEFT_AFTER_MS) await removeUnlessUsed(docker, Id);
}

export async function idOf(docker: Dockerode, name: string): Promise<string | undefined> {
  try {
    return (await docker.getImage(name).inspect()).Id;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}

/** One that a container, another name or another image needs stays. */
async function removeUnlessUsed(docker: Dockerode, id: string): Promise<void> {
  try {
    await docker.getImage(id).remove();
  } catch (error) {
    if (!isStatus(error, 404, 409)) throw error;
  }
}

function known(id: string | undefined): string {
  if (id === undefined) throw new Error('the engine did not say which image it made');
  return id;
}
