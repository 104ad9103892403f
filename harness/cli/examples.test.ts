import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { imageName } from '../docker/index.js';
import { attachCapability, closeSharedEngine, sharedEngine } from '../lab/index.js';
import { messageOf } from '../text/index.js';

const FOLDER = fileURLToPath(new URL('../../../docs/examples/http-service/', import.meta.url));
const IMAGE = 'http-service';
const INSTALLS_WITHIN_MS = 120_000;
/** In lines, from `it` to its end. */
const LONGEST_TEST = 15;

const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

/** What the README has one type, in order. */
const commands = [...read('README.md').matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
  block.trimEnd().split('\n'),
);

/** As somebody at a terminal would; a test may be run by npm itself, whose settings are not theirs. */
function type(command: string, env: Readonly<Record<string, string>> = {}): string {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_|^MOCHA_|^LASTACK_/i.test(name));
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', command], {
    cwd: FOLDER,
    encoding: 'utf8',
    env: { ...Object.fromEntries(own), ...env },
  });
  if (status !== 0) throw new Error(`"${command}" ended with ${status}: ${stdout}${stderr}`);
  return stdout;
}

function isInstalled(): boolean {
  try {
    const installed = statSync(join(FOLDER, 'node_modules/.package-lock.json')).mtimeMs;
    return ['package.json', 'package-lock.json'].every(
      (file) => statSync(join(FOLDER, file)).mtimeMs < installed,
    );
  } catch {
    return false;
  }
}

function install(): void {
  // The clone that it links to is built: its scripts would only build it again.
  if (!isInstalled())
    type('npm ci', { npm_config_ignore_scripts: 'true', npm_config_prefer_offline: 'true' });
}

/** Why the example cannot be run here. */
async function whyNot(): Promise<string | undefined> {
  const { works, sentence } = attachCapability();
  if (!works) return sentence;
  if (spawnSync('docker', ['--version']).status !== 0)
    return 'the program "docker" is missing, which builds the example’s image';
  try {
    const engine = await sharedEngine();
    if (await engine.hasImage(imageName('wire'))) return undefined;
    return `there is no image ${imageName('wire')} for the example to stand on ("lastack images build wire")`;
  } catch (error) {
    return messageOf(error);
  }
}

describe('docs/examples/http-service', function () {
  this.timeout(300_000);

  it('has tests of at most 15 lines', () => {
    const lengths = readdirSync(join(FOLDER, 'test')).flatMap((file) =>
      [...read(`test/${file}`).matchAll(/^ {2}it\(.*?^ {2}\}\);$/gms)].map(
        ([test]) => test.split('\n').length,
      ),
    );
    expect(lengths).to.have.lengthOf(3);
    expect(Math.max(...lengths)).to.be.at.most(LONGEST_TEST);
  });

  it('is what the tutorial shows', () => {
    const [shown] = read('test/losses.test.ts').match(/^ {2}it\(.*?^ {2}\}\);$/ms) ?? [];
    expect(read('../../tutorial.md')).to.include(shown);
  });

  it('is installed, and compiles in strict mode', function () {
    this.timeout(INSTALLS_WITHIN_MS);
    install();
    expect(JSON.parse(read('tsconfig.json')).compilerOptions.strict).to.equal(true);
    type('npx tsc --noEmit');
  });

  describe('as its README says', () => {
    let hadImage = false;
    before(async function () {
      const reason = await whyNot();
      if (reason !== undefined) {
        process.stderr.write(`skipped: ${reason}\n`);
        this.skip();
      }
      hadImage = await (await sharedEngine()).hasImage(IMAGE);
      install();
    });
    after(async () => {
      const engine = await sharedEngine().catch(() => undefined);
      if (engine !== undefined && !hadImage && (await engine.hasImage(IMAGE)))
        await engine.docker.getImage(IMAGE).remove({ force: true });
      await closeSharedEngine();
    });

    it('passes its own tests', () => {
      const [first, ...rest] = commands;
      expect(first).to.equal('npm ci');
      const env = {
        BASE: imageName('wire'),
        // There is no registry to have its image from.
        TESTCONTAINERS_RYUK_DISABLED: 'true',
        // No other way of building is known to all engines.
        DOCKER_BUILDKIT: '0',
      };
      const said = rest.map((command) => type(command, env)).join('\n');
      expect(said).to.match(/^ {2}3 passing/m);
    });
  });
});
