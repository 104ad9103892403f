/** What goes wrong with a Docker engine, in one sentence for a person: what, where, what to do. */
import { messageOf } from '../../text/index.js';

export type EngineErrorKind =
  | 'away'
  | 'forbidden'
  | 'no-image'
  | 'no-container'
  | 'port-taken'
  | 'refused'
  | 'gone'
  | 'failed';

/** Anything the engine refuses or that is not there, in one sentence that says what to do. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  constructor(
    readonly kind: EngineErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What was being done. */
export interface Doing {
  /** "the Docker engine at unix:///var/run/docker.sock" */
  readonly engine: string;
  /** "start container lastack-1a2b-1-server" */
  readonly what: string;
  readonly image?: string;
  /** Names of settings that were asked for, and what else an engine may refuse. */
  readonly sysctls?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly isPrivileged?: boolean;
}

/** What Node, ssh and the engine's client tell of a failure. */
interface Failure {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly json?: unknown;
}

type Explained = readonly [EngineErrorKind, string];

/** Errors that are explained already stay as they are. */
export function explained(error: unknown, doing: Doing): EngineError {
  if (error instanceof EngineError) return error;
  const { code, statusCode, json } = (typeof error === 'object' && error !== null ? error : {}) as Failure;
  const reason = reasonOf(json) ?? messageOf(error);
  const [kind, sentence] =
    typeof statusCode === 'number'
      ? answerExplained(statusCode, reason, doing)
      : connectionExplained(String(code ?? ''), reason, doing);
  return new EngineError(kind, sentence, { cause: error });
}

const reasonOf = (json: unknown): string | undefined =>
  typeof json === 'object' && json !== null && 'message' in json && typeof json.message === 'string'
    ? json.message.trim()
    : undefined;

const OTHER = 'or name another engine with DOCKER_HOST or DOCKER_CONTEXT';
const NO_WAY_THERE = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN']);
const ENDED = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR', 'ECONNABORTED']);

function connectionExplained(code: string, reason: string, { engine, what }: Doing): Explained {
  if (code === 'ENOENT')
    return ['away', `there is no socket of ${engine}: start it (sudo systemctl start docker), ${OTHER}`];
  if (code === 'ECONNREFUSED')
    return ['away', `nobody answers for ${engine}: start it (sudo systemctl start docker), ${OTHER}`];
  if (code === 'EACCES' || code === 'EPERM')
    return [
      'forbidden',
      `you may not use ${engine}: run lastack as root, or join the group of its socket (sudo usermod -aG docker $USER) and log in again`,
    ];
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return ['away', `the host of ${engine} has no address: check the name in DOCKER_HOST or the context`];
  if (NO_WAY_THERE.has(code))
    return ['away', `${engine} cannot be reached (${code}): check the network, ${OTHER}`];
  const tls = tlsExplained(code, reason);
  if (tls !== undefined) return ['forbidden', `${engine}: ${tls}`];
  if (ENDED.has(code) || /socket hang up/.test(reason))
    return ['away', `${engine} ended the connection in the midst of "${what}": see whether it still runs`];
  return ['failed', `${engine} could not ${what}: ${oneLine(reason)}`];
}

function tlsExplained(code: string, reason: string): string | undefined {
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired: have it renewed';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for another name (${oneLine(reason)}): call it by a name that the certificate has`;
  if (code === 'EPROTO' && /wrong version number|packet length too long/i.test(reason))
    return 'it does not speak TLS at that port: leave DOCKER_TLS_VERIFY out, or name the port that does (2376 as a rule)';
  if (/ALERT|alert/.test(`${code} ${reason}`) && /SSL|TLS/i.test(`${code} ${reason}`))
    return 'it does not take our certificate: put the right cert.pem and key.pem into DOCKER_CERT_PATH (or the context)';
  if (/CERT|ISSUER|LEAF_SIGNATURE/.test(code))
    return `its certificate is not signed by our ca.pem (${code}): put the right one into DOCKER_CERT_PATH (or the context)`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL'))
    return `TLS failed (${oneLine(reason)}): check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH (or the context)`;
  return undefined;
}

function answerExplained(status: number, reason: string, doing: Doing): Explained {
  const { engine, what } = doing;
  if (/HTTP request to an HTTPS server/.test(reason))
    return [
      'forbidden',
      `${engine} speaks TLS only: set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem`,
    ];
  if (/no space left on device/.test(reason))
    return ['failed', `${engine} has no space left to ${what}: free some on its disk (docker system df)`];
  if (/no such image|pull access denied|manifest .*unknown/i.test(reason))
    return ['no-image', imageMissing(doing.image ?? '', engine)];
  if (/port is already allocated|address already in use/.test(reason))
    return ['port-taken', portTaken(reason, doing)];
  if (/name .*is already in use/i.test(reason))
    return [
      'refused',
      `${engine} could not ${what}: the name is taken already; remove what has it (${oneLine(reason)})`,
    ];
  const network = networkRefused(reason, doing);
  if (network !== undefined) return ['refused', network];
  const refused = settingRefused(reason, doing);
  if (refused !== undefined) return ['refused', refused];
  if (/no such container/i.test(reason))
    return ['gone', `${engine} could not ${what}: the container is gone`];
  if (/is not running|is being removed|is dead|cannot kill container/i.test(reason))
    return ['gone', `${engine} could not ${what}: the container has ended`];
  if (status === 401 || status === 403)
    return ['forbidden', `${engine} does not allow to ${what}: ${oneLine(reason)}; ask who runs it`];
  const isAsked = status >= 400 && status < 500;
  return [isAsked ? 'refused' : 'failed', `${engine} could not ${what}: ${oneLine(reason)}`];
}

export function imageMissing(image: string, engine: string): string {
  const way = /^lastack[/-]/.test(image)
    ? '"lastack images build" makes it'
    : `"docker pull ${image}" brings it`;
  return `${engine} has no image ${image}: ${way}`;
}

function portTaken(reason: string, { engine, what }: Doing): string {
  const [, port] = /:(\d+)(?: failed)?: (?:port is|bind)/.exec(reason) ?? [];
  const which = port === undefined ? 'a port' : `port ${port}`;
  return `${engine} could not ${what}: ${which} of its host is taken already; end what has it, or publish another`;
}

/** A network that the engine, or its kernel, has no room or no protocol for. */
function networkRefused(reason: string, { engine, what }: Doing): string | undefined {
  if (/pool overlaps|conflicts with network|could not find an available/i.test(reason))
    return `${engine} found no free subnet to ${what}: remove networks that nobody uses (docker network ls); it said "${oneLine(reason)}"`;
  if (/IPv6/i.test(reason) && /disable_ipv6|not supported|not enabled|disabled/i.test(reason))
    return `${engine} could not ${what}: its kernel, or its settings, have IPv6 off (${oneLine(reason)}); turn it on (net.ipv6.conf.all.disable_ipv6=0, no ipv6.disable=1), or play with --ip 4`;
  return undefined;
}

/** A setting, a capability, a privilege or a program that the engine, its runtime or the kernel does not give. */
function settingRefused(reason: string, doing: Doing): string | undefined {
  const { engine, what, sysctls = [], capabilities = [], isPrivileged = false, image = 'the image' } = doing;
  const sysctl = sysctls.find((name) => reason.includes(name) || reason.includes(name.replaceAll('.', '/')));
  if (sysctl !== undefined)
    return `${engine} could not ${what}: it, or its kernel, refuses the setting ${sysctl} (${oneLine(reason)}); leave it out, or use a kernel that has it`;
  if (isPrivileged && /privileged|not permitted|permission denied|not allowed|denied/i.test(reason))
    return `${engine} could not ${what}: it gives no privileges (${oneLine(reason)}); use one that does, or do without`;
  const isCapability =
    /capabilit|CapAdd|CapDrop/i.test(reason) || (/not permitted/i.test(reason) && capabilities.length > 0);
  if (isCapability)
    return `${engine} could not ${what}: it refuses a capability of ${capabilities.join(', ')} (${oneLine(reason)}); use one that gives it, or do without`;
  if (/executable file not found|no such file or directory: unknown|exec format error/.test(reason))
    return `${engine} could not ${what}: ${image} has no such program for this machine (${oneLine(reason)}); name one that it has`;
  return undefined;
}

const LONGEST = 300;

function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ').replace(/\.$/, '');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
