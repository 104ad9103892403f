import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { packageVersion } from '../../text/index.js';
import { BuildError } from '../../uml/index.js';
import { ownFiles, packageFiles, runtimePackages } from './package-files.js';

describe('what of this package runs in a container', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastack-package-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Fields {
    readonly version?: string;
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  function install(place: string, fields: Fields): void {
    mkdirSync(join(folder, place), { recursive: true });
    writeFileSync(join(folder, place, 'package.json'), JSON.stringify({ version: '1.0.0', ...fields }));
  }
  const found = (of = '.'): Readonly<Record<string, string>> =>
    Object.fromEntries(runtimePackages(join(folder, of)).map(({ to, version }) => [to, version]));

  it('is complete: it runs where nothing else is', () => {
    for (const { path, content, mode } of packageFiles('lastack')) {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { mode });
    }
    const run = (...args: readonly string[]): string =>
      execFileSync(process.execPath, [join(folder, 'lastack', 'bin', 'lastack.js'), ...args], {
        cwd: folder,
        encoding: 'utf8',
      });
    expect(run('--version').trim()).to.equal(packageVersion());
    expect(run('list', 'close')).to.include('close/lost-final-ack');
  });

  it('has neither tests nor types', () => {
    expect(ownFiles().filter(({ to }) => /test|\.ts$/.test(to))).to.deep.equal([]);
  });

  it('is what packages need in turn, but not for their development', () => {
    install('.', { dependencies: { a: '1' } });
    install('node_modules/a', { dependencies: { '@b/c': '1' } });
    install('node_modules/@b/c', {});
    install('node_modules/unneeded', {});
    expect(found()).to.deep.equal({ 'node_modules/a': '1.0.0', 'node_modules/@b/c': '1.0.0' });
  });

  it('has two versions of a package where two are needed', () => {
    install('.', { dependencies: { a: '1', b: '1' } });
    install('node_modules/a', { dependencies: { b: '2' } });
    install('node_modules/a/node_modules/b', { version: '2.0.0' });
    install('node_modules/b', {});
    expect(found()).to.deep.equal({
      'node_modules/a': '1.0.0',
      'node_modules/b': '1.0.0',
      'node_modules/a/node_modules/b': '2.0.0',
    });
  });

  it('is found where this package is itself installed in another', () => {
    install('node_modules/lastack', { dependencies: { a: '1' } });
    install('node_modules/a', {});
    expect(found('node_modules/lastack')).to.deep.equal({ 'node_modules/a': '1.0.0' });
  });

  it('lacks what is for other machines, and nothing else', () => {
    install('.', { dependencies: { a: '1' }, optionalDependencies: { arm: '1' } });
    expect(() => found()).to.throw(BuildError, /"a" .*"npm ci"/);
    install('node_modules/a', {});
    expect(found()).to.deep.equal({ 'node_modules/a': '1.0.0' });
  });
});
