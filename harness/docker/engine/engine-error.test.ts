import { expect } from 'chai';
import { EngineError, type EngineErrorKind, explained } from './engine-error.js';

const doing = { engine: 'the Docker engine at E', what: 'start container c', image: 'i' };
const errno = (code: string, message = code) => Object.assign(new Error(message), { code });
const answer = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) - ${message}`), { statusCode, json: { message } });

const CASES: readonly (readonly [string, unknown, EngineErrorKind, RegExp])[] = [
  ['no socket', errno('ENOENT'), 'away', /there is no socket of the Docker engine at E: start it/],
  ['a refusal', errno('ECONNREFUSED'), 'away', /nobody answers/],
  ['no permission', errno('EACCES'), 'forbidden', /usermod -aG docker/],
  ['a host without an address', errno('ENOTFOUND'), 'away', /has no address/],
  ['no way there', errno('EHOSTUNREACH'), 'away', /cannot be reached \(EHOSTUNREACH\)/],
  [
    'a connection that breaks',
    errno('ECONNRESET'),
    'away',
    /ended the connection in the midst of "start container c"/,
  ],
  ['an unknown issuer', errno('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'forbidden', /not signed by our ca\.pem/],
  ['a certificate that has expired', errno('CERT_HAS_EXPIRED'), 'forbidden', /expired/],
  [
    'no TLS there',
    errno('EPROTO', 'ssl3_get_record:wrong version number'),
    'forbidden',
    /does not speak TLS/,
  ],
  [
    'our certificate refused',
    errno('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
    'forbidden',
    /does not take our certificate/,
  ],
  [
    'TLS there',
    answer(400, 'Client sent an HTTP request to an HTTPS server.'),
    'forbidden',
    /speaks TLS only/,
  ],
  ['no image', answer(404, 'No such image: i'), 'no-image', /has no image i: "docker pull i"/],
  ['no container', answer(404, 'No such container: c'), 'gone', /the container is gone/],
  ['one that has ended', answer(409, 'Container c is not running'), 'gone', /has ended/],
  [
    'a port that docker-proxy cannot have',
    answer(500, 'driver failed: listen tcp4 0.0.0.0:8080: bind: address already in use'),
    'port-taken',
    /port 8080 of its host is taken/,
  ],
  [
    'a name',
    answer(409, 'Conflict. The container name "/c" is already in use by container "1".'),
    'refused',
    /taken already/,
  ],
  [
    'a full disk',
    answer(500, 'write /x: no space left on device'),
    'failed',
    /no space left to start container c/,
  ],
  [
    'a guard',
    answer(403, 'authorization denied by plugin x'),
    'forbidden',
    /does not allow to start container c/,
  ],
  [
    'anything else',
    answer(500, 'the moon\nis full.'),
    'failed',
    /could not start container c: the moon is full$/,
  ],
];

describe('what goes wrong with an engine', () => {
  for (const [what, error, kind, named] of CASES)
    it(`is told in one sentence: ${what}`, () => {
      const told = explained(error, doing);
      expect(told.message).to.match(named);
      expect(told.message).to.not.include('\n');
      expect(told.kind).to.equal(kind);
      expect(told.cause).to.equal(error);
    });

  for (const reason of ['operation not permitted', 'privileged mode is incompatible with user namespaces'])
    it(`names a privilege that is not given: ${reason}`, () => {
      const told = explained(answer(500, reason), { ...doing, isPrivileged: true });
      expect(told.kind).to.equal('refused');
      expect(told.message).to.match(/gives no privileges/);
    });

  it('names a capability that is not given', () => {
    const told = explained(answer(500, 'apply caps: operation not permitted'), {
      ...doing,
      capabilities: ['NET_ADMIN'],
    });
    expect(told.message).to.match(/refuses a capability of NET_ADMIN/);
  });

  it('is not explained twice', () => {
    const error = new EngineError('away', 'x');
    expect(explained(error, doing)).to.equal(error);
  });
});
