import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { addressText, type EngineOptions, engineAddress, type Surroundings } from './engine-address.js';
import { EngineError } from './engine-error.js';

const idOf = (name: string): string => createHash('sha256').update(name).digest('hex');

function around(
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Surroundings {
  return {
    env,
    home: '/home/me',
    read: (path) => files[path],
    list: (folder) => [
      ...new Set(
        Object.keys(files)
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''),
      ),
    ],
  };
}

const context = (name: string, host: string, folder = '/home/me/.docker') => ({
  [`${folder}/contexts/meta/${idOf(name)}/meta.json`]: JSON.stringify({
    Name: name,
    Endpoints: { docker: { Host: host, SkipTLSVerify: false } },
  }),
});

const config = (currentContext: string) => ({
  '/home/me/.docker/config.json': JSON.stringify({ auths: {}, currentContext }),
});

function refusal(options: EngineOptions, surroundings: Surroundings): string {
  try {
    engineAddress(options, surroundings);
  } catch (error) {
    if (error instanceof EngineError) return error.message;
  }
  throw new Error('it was not refused');
}

describe('the address of an engine', () => {
  const lab = context('lab', 'ssh://me@lab');
  for (const [what, options, surroundings, text] of [
    ['the usual socket, where nothing else is said', {}, around(), 'unix:///var/run/docker.sock'],
    ['DOCKER_HOST', {}, around({ DOCKER_HOST: 'tcp://h:1' }), 'tcp://h:1'],
    ['a host without a scheme', {}, around({ DOCKER_HOST: 'h:1' }), 'tcp://h:1'],
    [
      'what was asked for, before DOCKER_HOST',
      { host: 'unix:///x' },
      around({ DOCKER_HOST: 'h' }),
      'unix:///x',
    ],
    ['a context, before DOCKER_HOST', { context: 'lab' }, around({ DOCKER_HOST: 'h' }, lab), 'ssh://me@lab'],
    [
      'DOCKER_HOST, before DOCKER_CONTEXT',
      {},
      around({ DOCKER_HOST: 'tcp://h:1', DOCKER_CONTEXT: 'lab' }, lab),
      'tcp://h:1',
    ],
    ['DOCKER_CONTEXT', {}, around({ DOCKER_CONTEXT: 'lab' }, lab), 'ssh://me@lab'],
    ['the current context', {}, around({}, { ...lab, ...config('lab') }), 'ssh://me@lab'],
    [
      'DOCKER_CONTEXT, before the current one',
      {},
      around({ DOCKER_CONTEXT: 'default' }, { ...lab, ...config('lab') }),
      'unix:///var/run/docker.sock',
    ],
    [
      'contexts of DOCKER_CONFIG',
      { context: 'lab' },
      around({ DOCKER_CONFIG: '/etc/mine' }, context('lab', 'unix:///y', '/etc/mine')),
      'unix:///y',
    ],
    [
      'a port of ssh, and a socket there',
      { host: 'ssh://h:22/run/d.sock' },
      around(),
      'ssh://h:22/run/d.sock',
    ],
    ['IPv6', { host: 'tcp://[fd00::1]:2375' }, around(), 'tcp://[fd00::1]:2375'],
    ['the usual port', { host: 'tcp://h' }, around(), 'tcp://h:2375'],
    ['the usual port of TLS', { host: 'tcp://h' }, around({ DOCKER_TLS_VERIFY: '1' }), 'tcp://h:2376'],
  ] as const)
    it(`is ${what}`, () => {
      expect(addressText(engineAddress(options, surroundings))).to.equal(text);
    });

  it('has the certificates of DOCKER_CERT_PATH, or of the configuration', () => {
    const files = { '/certs/ca.pem': 'CA', '/certs/key.pem': 'KEY', '/home/me/.docker/cert.pem': 'OWN' };
    const tls = (env: Readonly<Record<string, string>>) => {
      const address = engineAddress({ host: 'tcp://h' }, around(env, files));
      return address.kind === 'tcp' ? address.tls : undefined;
    };
    expect(tls({ DOCKER_CERT_PATH: '/certs' })).to.equal(undefined);
    expect(tls({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' })).to.deep.equal({
      ca: 'CA',
      key: 'KEY',
      isUnverified: false,
    });
    expect(tls({ DOCKER_TLS: '1' })).to.deep.equal({ cert: 'OWN', isUnverified: true });
  });

  it("has its context's certificates, and not those of the environment", () => {
    const files = {
      ...context('far', 'tcp://far:2376'),
      [`/home/me/.docker/contexts/tls/${idOf('far')}/docker/ca.pem`]: 'FAR CA',
      '/certs/ca.pem': 'CA',
    };
    const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' };
    const address = engineAddress({ context: 'far' }, around(env, files));
    expect(address).to.deep.include({ kind: 'tcp', port: 2376, tls: { ca: 'FAR CA', isUnverified: false } });
  });

  for (const [what, options, surroundings, named] of [
    [
      'a context that is not there',
      { context: 'lb' },
      around({}, lab),
      /no Docker context "lb".*"default", "lab"/,
    ],
    ['one where there are none', { context: 'lb' }, around(), /there is only "default"/],
    [
      'a configuration that is none',
      {},
      around({}, { '/home/me/.docker/config.json': '{' }),
      /config\.json is no JSON/,
    ],
    [
      'a scheme that is none',
      { host: 'npipe://x' },
      around(),
      /"npipe:\/\/x" is no address of a Docker engine/,
    ],
    [
      'an option in place of a host',
      { host: 'ssh://-oProxyCommand=x' },
      around(),
      /no address of a Docker engine/,
    ],
  ] as const)
    it(`is refused with a sentence for ${what}`, () => {
      expect(refusal(options, surroundings)).to.match(named);
    });
});
