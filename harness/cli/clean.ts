/** `lastack clean`: takes away what lastacks that were killed have left in the network namespaces of this machine. */
import { sweepNamespaces } from '../lab/index.js';
import { EnvironmentError, EXIT } from './exit.js';

export function clean(): number {
  if (process.geteuid?.() !== 0)
    throw new EnvironmentError(
      'to look into the network namespaces of others takes root: run lastack as root',
    );
  const { namespaces, rulesBefore, rulesAfter, removed, refused } = sweepNamespaces();
  if (refused.length > 0)
    throw new EnvironmentError(`not all network namespaces could be looked into: ${refused.join('; ')}`);
  const kept = rulesAfter === 0 ? '' : `, of lastacks that are still attached`;
  process.stdout.write(
    `${namespaces} network namespaces: ${rulesBefore} rules of lastack before, ${removed} removed, ${rulesAfter} left${kept}\n`,
  );
  return EXIT.asExpected;
}
