/** What a wire through a namespace's hooks is made of: tried before a thread does, and explained where it cannot be had. */
import { NetworkNamespace, SysError } from '../../sys/index.js';
import { messageOf } from '../../text/index.js';
import { OWN_MARK, PacketQueue, RawSender } from '../../wire/index.js';
import { AttachRefused } from './attach-errors.js';
import { NamespaceRules } from './namespace-rules.js';

/** Throws `AttachRefused` where it fails. */
export function tryHooks(namespace: NetworkNamespace): void {
  try {
    namespace.run(() => {
      using _queue = PacketQueue.open();
      using _sender = new RawSender({ mark: OWN_MARK });
    });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new AttachRefused(explainHooks(error), { cause: error });
  }
}

export function explainHooks({ code, message }: SysError): string {
  if (code === 'EPERM' || code === 'EACCES')
    return `segments may not be queued there: run lastack as root (${message})`;
  if (['EPROTONOSUPPORT', 'EINVAL', 'ENOENT', 'EOPNOTSUPP', 'EAFNOSUPPORT'].includes(code))
    return `this kernel cannot queue segments for programs: load the module ("sudo modprobe nfnetlink_queue") or build it with CONFIG_NETFILTER_NETLINK_QUEUE (${message})`;
  if (code === 'EBUSY')
    return `all numbers of queues are taken there: end other programs that use NFQUEUE (${message})`;
  return `segments cannot be queued there (${message})`;
}

export interface AttachCapability {
  readonly works: boolean;
  readonly sentence: string;
}

/** Tries it in a namespace of its own, and lets that go. */
export function attachCapability(): AttachCapability {
  try {
    using namespace = NetworkNamespace.create();
    tryHooks(namespace);
    using queue = namespace.run(() => PacketQueue.open());
    using _rules = new NamespaceRules(namespace, {
      segments: { kind: 'port', port: 1 },
      queue: queue.number,
    });
    return { works: true, sentence: 'segments of running processes can be queued (NFQUEUE)' };
  } catch (error) {
    if (error instanceof SysError)
      return { works: false, sentence: `to attach to processes takes root (${error.message})` };
    return { works: false, sentence: messageOf(error) };
  }
}
