import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { packageVersion } from '../../text/index.js';
import { imagesFolder } from '../../uml/index.js';
import { IMAGE_KINDS, imageName, withBases } from './kinds.js';
import { recipeOf } from './recipe.js';

describe('the images', () => {
  let images: string;
  beforeEach(() => {
    images = mkdtempSync(join(tmpdir(), 'lastack-recipe-'));
    for (const name of [...IMAGE_KINDS, 'agent'])
      cpSync(join(imagesFolder(), name), join(images, name), { recursive: true });
  });
  afterEach(() => rmSync(images, { recursive: true }));
  const recipes = (): Readonly<Record<string, string>> =>
    Object.fromEntries(IMAGE_KINDS.map((kind) => [kind, recipeOf(kind, images)]));
  const changedBy = (change: () => void): readonly string[] => {
    const before = recipes();
    change();
    return Object.entries(recipes()).flatMap(([kind, recipe]) => (recipe === before[kind] ? [] : [kind]));
  };

  it('are the folders that have a Dockerfile', () => {
    const folders = readdirSync(imagesFolder()).filter((name) =>
      existsSync(join(imagesFolder(), name, 'Dockerfile')),
    );
    expect(folders).to.have.members(IMAGE_KINDS);
  });

  it('are called by their kind and the version of this package, the base by its recipe', () => {
    expect(imageName('endpoint')).to.equal(`lastack/endpoint:${packageVersion()}`);
    expect(imageName('wire', 'another')).to.equal(`another/wire:${packageVersion()}`);
    expect(imageName('base')).to.match(/^lastack\/base:[0-9a-f]{16}$/);
  });

  it('are built after what they stand on, each once', () => {
    expect(withBases(['tools', 'wire', 'tools'])).to.deep.equal(['base', 'wire', 'tools']);
    expect(withBases(['stack'])).to.deep.equal(['base', 'wire', 'stack']);
    expect(withBases(['toxiproxy', 'endpoint'])).to.deep.equal(['endpoint', 'toxiproxy']);
  });

  for (const [what, file, kinds] of [
    ['the agent', 'agent/agent.c', ['endpoint']],
    ['a package of the base', 'base/packages', ['base', 'wire', 'stack', 'tools']],
    ['a Dockerfile', 'toxiproxy/Dockerfile', ['toxiproxy']],
    ['a file beside it', 'tools/nginx.conf', ['tools']],
  ] as const)
    it(`are out of date when ${what} changes: those that it is in`, () => {
      expect(changedBy(() => appendFileSync(join(images, file), '\n'))).to.have.members(kinds);
    });

  it('are out of date when a file comes, but for one that people read', () => {
    expect(changedBy(() => writeFileSync(join(images, 'tools', 'README.md'), 'text'))).to.deep.equal([]);
    expect(changedBy(() => writeFileSync(join(images, 'tools', 'more'), ''))).to.deep.equal(['tools']);
  });
});
