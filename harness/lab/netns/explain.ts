/** Says of a lab that could not be made what is missing and what to do: one sentence. */

import { SysError } from '../../sys/index.js';
import { messageOf } from '../../text/index.js';

/** This machine cannot have a lab. The message says what is missing and what to do. */
export class LabUnavailable extends Error {
  override readonly name = 'LabUnavailable';
}

const MANY = 'too many are open: run fewer jobs at once (--jobs), or raise the limit';

/** By the call that failed and the errno it failed with. */
const ROWS: readonly { call: RegExp; codes: readonly string[]; sentence: string }[] = [
  {
    call: /veth/,
    codes: ['EOPNOTSUPP', 'ENOENT'],
    sentence:
      'this kernel has no veth links: load the module ("sudo modprobe veth") or build it with CONFIG_VETH',
  },
  {
    call: /AF_PACKET/,
    codes: ['EAFNOSUPPORT', 'EPROTONOSUPPORT'],
    sentence:
      'this kernel has no packet sockets: load the module ("sudo modprobe af_packet") or build it with CONFIG_PACKET',
  },
  {
    call: /unshare/,
    codes: ['EINVAL', 'ENOSYS'],
    sentence: 'this kernel has no network namespaces: it must be built with CONFIG_NET_NS',
  },
  {
    call: /unshare/,
    codes: ['ENOSPC'],
    sentence:
      'no more network namespaces may be made: raise the limit with "sudo sysctl user.max_net_namespaces=10000"',
  },
  {
    call: /unshare|setns|veth|AF_PACKET/,
    codes: ['EPERM', 'EACCES'],
    sentence:
      'this process may not make network namespaces: run lastack as root, or let it make a user namespace ("lastack doctor" says how)',
  },
  {
    call: /./,
    codes: ['EMFILE', 'ENFILE'],
    sentence: `no more files may be opened: ${MANY} with "ulimit -n 65536"`,
  },
  { call: /./, codes: ['ENOMEM', 'ENOBUFS'], sentence: `the kernel has no memory left for it: ${MANY}` },
];

export function explainSysError(error: unknown): string {
  if (!(error instanceof SysError)) return fileSentence(error) ?? messageOf(error);
  const row = ROWS.find(({ call, codes }) => call.test(error.call) && codes.includes(error.code));
  return `${row?.sentence ?? 'the lab could not be made, "lastack doctor" tries each part'} (${error.message})`;
}

/** Sysctls are files: a container often has them read-only. */
function fileSentence(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && 'path' in error)) return undefined;
  const path = String(error.path);
  if (!path.startsWith('/proc/sys/net/')) return undefined;
  if (path.startsWith('/proc/sys/net/ipv6/') && error.code === 'ENOENT')
    return `this kernel has no IPv6: use IPv4 ("--ip 4"), or start it without ipv6.disable=1 (${path})`;
  if (error.code === 'EROFS' || error.code === 'EACCES' || error.code === 'EPERM')
    return `kernel settings cannot be written (${path} is read-only): in a container, start it with "--privileged" or "--security-opt systempaths=unconfined"`;
  return `this kernel does not take the setting ${path} (${String(error.code)})`;
}

/** What the system refused becomes one sentence; anything else stays what it is. */
export function explainLabFailure(error: unknown): unknown {
  const isRefusal = error instanceof SysError || fileSentence(error) !== undefined;
  return isRefusal ? new LabUnavailable(explainSysError(error), { cause: error }) : error;
}
