import { expect } from 'chai';
import { SysError } from '../../sys/index.js';
import { explainLabFailure, LabUnavailable } from './explain.js';
import { refusalReason } from './privilege.js';

const oneSentence = (text: string): void => {
  expect(text).to.match(/^[^\n]+$/);
};

describe('a machine that makes no user namespaces', () => {
  for (const [name, value, remedy] of [
    ['kernel/apparmor_restrict_unprivileged_userns', '1', 'apparmor_restrict_unprivileged_userns=0'],
    ['kernel/unprivileged_userns_clone', '0', 'unprivileged_userns_clone=1'],
    ['user/max_user_namespaces', '0', 'user.max_user_namespaces=10000'],
    ['user/max_net_namespaces', '0', 'user.max_net_namespaces=10000'],
  ] as const) {
    it(`is told what to do about ${name} = ${value}`, () => {
      const reason = refusalReason(
        (asked) => (asked === name ? value : undefined),
        'Operation not permitted',
      );
      oneSentence(reason);
      expect(reason).to.include(remedy);
    });
  }
});

describe('a lab that cannot be made', () => {
  for (const [what, code, call, remedy] of [
    ['no veth', 'EOPNOTSUPP', 'rtnetlink: make the veth pair eth0', 'modprobe veth'],
    ['no packet sockets', 'EAFNOSUPPORT', 'socket(AF_PACKET)', 'modprobe af_packet'],
    ['no network namespaces', 'EINVAL', 'unshare(CLONE_NEWNET)', 'CONFIG_NET_NS'],
    ['no more namespaces', 'ENOSPC', 'unshare(CLONE_NEWNET)', 'user.max_net_namespaces'],
    ['no privileges', 'EPERM', 'unshare(CLONE_NEWNET)', 'root'],
    ['no more files', 'EMFILE', 'socket(AF_NETLINK)', 'ulimit -n'],
  ] as const) {
    it(`says in one sentence that there are ${what}, and what to do`, () => {
      const explained = explainLabFailure(new SysError(code, call));
      expect(explained).to.be.instanceOf(LabUnavailable);
      const { message } = explained as LabUnavailable;
      oneSentence(message);
      expect(message).to.include(remedy);
    });
  }

  it('says of what the caller did wrong what it was', () => {
    const mistake = new RangeError('an MTU of 3');
    expect(explainLabFailure(mistake)).to.equal(mistake);
  });
});
