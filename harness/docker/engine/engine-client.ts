/** dockerode for an address: its transport, and the version of the API that both sides know. */
import { type Agent, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { inspect } from 'node:util';
import type Dockerode from 'dockerode';
import { limited } from './call-limit.js';
import { DialStdioAgent } from './dial-stdio.js';
import { addressText, type EngineAddress } from './engine-address.js';
import { EngineError } from './engine-error.js';

export interface EngineClient {
  readonly docker: Dockerode;
  readonly agent: Agent;
  readonly text: string;
}

const ANSWERS_WITHIN_MS = 5000;
const SSH_ANSWERS_WITHIN_MS = 20_000;
const OLDEST_API = '1.40';
/** What is used of the API is the same up to here; a newer engine is spoken to in this version. */
const NEWEST_API = '1.51';

/** dockerode is loaded here only: the commands that need no engine start without it. */
export async function openClient(address: EngineAddress): Promise<EngineClient> {
  const text = `the Docker engine at ${addressText(address)}`;
  const agent = shownBriefly(agentFor(address, text));
  try {
    const withinMs = address.kind === 'ssh' ? SSH_ANSWERS_WITHIN_MS : ANSWERS_WITHIN_MS;
    const first = await dockerodeFor(address, agent);
    const version = await limited({ engine: text, what: 'say its version', withinMs }, (abortSignal) =>
      // Only its types do not know the signal.
      (first.version as (options: { abortSignal: AbortSignal }) => Promise<Dockerode.DockerVersion>)({
        abortSignal,
      }),
    );
    return { docker: await dockerodeFor(address, agent, commonVersion(version, text)), agent, text };
  } catch (error) {
    agent.destroy();
    throw error;
  }
}

function agentFor(address: EngineAddress, engine: string): Agent {
  if (address.kind === 'ssh') return new DialStdioAgent(address, engine);
  if (address.kind === 'unix' || address.tls === undefined) return new HttpAgent();
  const { isUnverified, ...files } = address.tls;
  return new HttpsAgent({ ...files, rejectUnauthorized: !isUnverified });
}

/** dockerode's modem writes out all that a request is made with, for a log that nobody reads; with an agent's sockets that takes longer than the request. */
function shownBriefly(agent: Agent): Agent {
  Object.defineProperty(agent, inspect.custom, { value: () => agent.constructor.name });
  return agent;
}

async function dockerodeFor(address: EngineAddress, agent: Agent, version?: string): Promise<Dockerode> {
  const { default: Docker } = await import('dockerode');
  const place =
    address.kind === 'unix'
      ? { socketPath: address.path, host: undefined }
      : address.kind === 'ssh'
        ? // Where the agent's stream goes is ssh's business.
          { host: 'docker', port: 80, protocol: 'http' as const }
        : {
            host: address.host,
            port: address.port,
            protocol: address.tls ? ('https' as const) : ('http' as const),
          };
  // It would read the variables by rules of its own, and mix them with what it is given.
  const { DOCKER_HOST: host } = process.env;
  delete process.env.DOCKER_HOST;
  try {
    // Its types do not know that it takes an agent.
    const options: Dockerode.DockerOptions & { readonly agent: Agent } = {
      ...place,
      agent,
      ...(version === undefined ? {} : { version: `v${version}` }),
    };
    return new Docker(options);
  } finally {
    if (host !== undefined) process.env.DOCKER_HOST = host;
  }
}

interface Versions {
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
}

/** Of the API: the newest that both know. */
export function commonVersion(
  { ApiVersion: newest, MinAPIVersion: oldest }: Versions,
  engine: string,
): string {
  if (newest === undefined || !/^\d+\.\d+$/.test(newest))
    throw new EngineError('away', `what answers for ${engine} is no Docker engine: check the address`);
  if (isOlder(newest, OLDEST_API))
    throw new EngineError(
      'refused',
      `${engine} is too old (API ${newest}): lastack needs ${OLDEST_API}, which Docker 19.03 has`,
    );
  if (oldest !== undefined && isOlder(NEWEST_API, oldest)) return oldest;
  return isOlder(newest, NEWEST_API) ? newest : NEWEST_API;
}

function isOlder(a: string, b: string): boolean {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor < bMajor || (aMajor === bMajor && aMinor < bMinor);
}
