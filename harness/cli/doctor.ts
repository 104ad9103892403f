/** `lastack doctor`: what this machine can do, and what to do about what it cannot. */
import { release } from 'node:os';
import { execaSync } from 'execa';
import { Engine, EngineError } from '../docker/index.js';
import { ownStackName } from '../endpoint/index.js';
import { attachCapability, netnsCapability } from '../lab/index.js';
import { probeEyes } from '../observe/index.js';
import type { Terminal } from '../report/index.js';
import { toxiproxyCapability } from '../toxiproxy/index.js';
import { installedKernels, isUpToDate } from '../uml/index.js';
import { DIALECTS, rulesCapability } from '../wire/index.js';
import { EXIT } from './exit.js';

interface Finding {
  readonly what: string;
  readonly works: boolean;
  /** Without it everything still runs. */
  readonly isOptional: boolean;
  readonly sentence: string;
}

/** 0 when labs can be made, 3 when not. */
export async function doctor({ ascii }: Terminal): Promise<number> {
  const findings = [
    ...[node(), lab(), ...eyes(), attaching(), virtualLab(), ...rules()],
    ...[await docker(), compose(), toxiproxy(), wireshark()],
  ];
  const [yes, no] = ascii === true ? ['+', 'X'] : ['✓', '✗'];
  for (const { what, works, sentence } of findings)
    process.stdout.write(`${works ? yes : no} ${what.padEnd(14)} ${sentence}\n`);
  return findings.every(({ works, isOptional }) => works || isOptional) ? EXIT.asExpected : EXIT.environment;
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const works = major > 20 || (major === 20 && minor >= 19);
  const sentence = works
    ? `${process.version} on Linux ${release()}`
    : `${process.version} is too old: install Node.js 20.19 or newer`;
  return { what: 'node', works, isOptional: false, sentence };
}

function lab(): Finding {
  const { way, sentence } = netnsCapability();
  return { what: 'netns lab', works: way !== 'none', isOptional: false, sentence };
}

const eyes = (): readonly Finding[] =>
  probeEyes().map(({ eye, works, sentence }) => ({
    what: eye,
    works,
    isOptional: eye !== 'sock_diag',
    sentence,
  }));

const attaching = (): Finding => ({ what: 'attach', isOptional: true, ...attachCapability() });

function virtualLab(): Finding {
  const kernels = installedKernels().filter(isUpToDate);
  const sentence =
    kernels.length > 0
      ? `has linux@${kernels.map(({ version }) => version).join(', linux@')} and ${ownStackName()}`
      : `has ${ownStackName()} and no kernel yet: "lastack kernel build 6.12" builds one, and says what it needs`;
  return { what: 'virtual lab', works: true, isOptional: true, sentence };
}

const rules = (): readonly Finding[] =>
  DIALECTS.map((dialect) => {
    const { works, sentence } = rulesCapability(dialect);
    return { what: `${dialect} rules`, works, isOptional: true, sentence };
  });

async function docker(): Promise<Finding> {
  const common = { what: 'docker', isOptional: true };
  try {
    await using engine = await Engine.connect();
    const { version, api, storageDriver, cgroup } = engine.facts;
    const where = engine.isLocal ? 'of this machine' : 'of another machine, or not seen from here';
    const sentence = `${engine.text} is Docker ${version} (API ${api}, ${storageDriver}, cgroup ${cgroup}), ${where}`;
    return { ...common, works: true, sentence };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { ...common, works: false, sentence: error.message };
  }
}

/** The newer one is a part of the client, the older a program of its own. */
function compose(): Finding {
  for (const [file, ...args] of [
    ['docker', 'compose', 'version', '--short'],
    ['docker-compose', 'version', '--short'],
  ] as const) {
    const { failed, stdout } = execaSync(file, args, { reject: false, stderr: 'ignore' });
    if (failed) continue;
    const command = [file, ...args.slice(0, -2)].join(' ');
    const sentence = `"${command} up" runs docker-compose.yml (version ${stdout.trim()})`;
    return { what: 'compose', works: true, isOptional: true, sentence };
  }
  const sentence = 'not found: "apt-get install docker-compose" brings what runs docker-compose.yml';
  return { what: 'compose', works: false, isOptional: true, sentence };
}

const toxiproxy = (): Finding => ({ what: 'toxiproxy', isOptional: true, ...toxiproxyCapability() });

function wireshark(): Finding {
  const { failed, stdout } = execaSync('tshark', ['--version'], { reject: false, stderr: 'ignore' });
  const sentence = failed
    ? 'not found: captures are written all the same; Wireshark or "apt-get install tshark" opens them'
    : `${stdout.split('\n')[0] ?? ''} opens the captures`;
  return { what: 'tshark', works: !failed, isOptional: true, sentence };
}
