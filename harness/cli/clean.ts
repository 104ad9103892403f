/** `lastack clean`: takes away what lastacks that were killed have left, in this machine's network namespaces and in the Docker engine. */
import { Engine, EngineError } from '../docker/index.js';
import { sweepNamespaces } from '../lab/index.js';
import { EnvironmentError, EXIT } from './exit.js';

/** One part that cannot be looked into keeps no other from being cleaned. */
export async function clean(): Promise<number> {
  const refused = await cleanNamespaces();
  await cleanEngine();
  if (refused !== undefined) throw new EnvironmentError(refused);
  return EXIT.asExpected;
}

/** Why not all of them could be looked into. */
async function cleanNamespaces(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0)
    return 'to look into the network namespaces of others takes root: run lastack as root';
  const { namespaces, attached, applied, refused } = await sweepNamespaces();
  if (refused.length > 0 && attached.before + applied.before === 0) return notAll(refused);
  for (const [what, { before, removed, after }, whose] of [
    ['rules of lastack', attached, 'of lastacks that are still attached'],
    ['parts of applied rules', applied, 'of lastacks that still apply them, or applied by somebody else'],
  ] as const)
    say(
      `${namespaces} network namespaces: ${before} ${what} before, ${removed} removed, ${after} left${after === 0 ? '' : `, ${whose}`}`,
    );
  return refused.length === 0 ? undefined : notAll(refused);
}

const notAll = (refused: readonly string[]): string =>
  `not all network namespaces could be looked into: ${refused.join('; ')}`;

async function cleanEngine(): Promise<void> {
  try {
    await using engine = await Engine.connect();
    const { containersBefore, containersAfter, networksBefore, networksAfter } = await engine.sweep();
    const kept = containersAfter + networksAfter === 0 ? '' : ', of lastacks that still run';
    say(
      `${engine.text}: ${containersBefore} containers of lastack before, ${containersAfter} left; ${networksBefore} networks before, ${networksAfter} left${kept}`,
    );
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    say(`no Docker engine was looked into: ${error.message}`);
  }
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
