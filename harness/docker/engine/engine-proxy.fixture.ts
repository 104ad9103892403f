/** For tests: this machine's engine behind TLS, and behind ssh, without another machine. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';

const SOCKET = '/var/run/docker.sock';

export interface Behind extends AsyncDisposable {
  readonly host: string;
  /** Ends what is open, as an engine that goes away. */
  cut(): void;
}

/** Whatever answers there: `serve` is given each connection. */
export async function served(server: Server, serve: (socket: Socket) => void): Promise<Behind> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
  });
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) =>
    serve(socket.on('error', () => {})),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    host: `tcp://127.0.0.1:${port}`,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function toEngine(socket: Socket): void {
  const engine = connect({ path: SOCKET, allowHalfOpen: true });
  engine.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('close', () => engine.destroy());
  socket.pipe(engine).pipe(socket);
}

export const plainProxy = (): Promise<Behind> => served(createServer({ allowHalfOpen: true }), toEngine);

/** Asks for a certificate that its own authority has signed. */
export const tlsProxy = (folder: string): Promise<Behind> =>
  served(
    createTlsServer({
      ca: readFileSync(join(folder, 'ca.pem')),
      cert: readFileSync(join(folder, 'server.pem')),
      key: readFileSync(join(folder, 'server-key.pem')),
      requestCert: true,
      rejectUnauthorized: true,
      allowHalfOpen: true,
    } as never), // its types do not know allowHalfOpen, which goes to the sockets below
    toEngine,
  );

/** An authority, and what it has signed: for a server at 127.0.0.1, and for us (`cert.pem`, `key.pem`). */
export function certificates(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'lastack-tls-'));
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: path, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=authority',
    '-days',
    '2',
    '-keyout',
    'ca-key.pem',
    '-out',
    'ca.pem',
  );
  for (const [name, cert, keyFile] of [
    ['server', 'server.pem', 'server-key.pem'],
    ['client', 'cert.pem', 'key.pem'],
  ] as const) {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', 'request.pem');
    writeFileSync(join(path, 'names'), 'subjectAltName=IP:127.0.0.1');
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', 'request.pem', ...by, '-extfile', 'names', '-out', cert);
  }
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

export interface SshServer extends AsyncDisposable {
  readonly host: string;
  /** A folder whose `ssh` knows this server and has its key; before others in PATH. */
  readonly programs: string;
  /** From now on nobody is let in. */
  lockOut(): void;
}

const SSHD = '/usr/sbin/sshd';
const PRIVILEGE_SEPARATION = '/run/sshd';

export function sshMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can start an sshd here';
  if (!existsSync(SSHD)) return 'sshd is missing: apt-get install openssh-server';
  const lacks = ['ssh', 'docker'].find((program) => spawnSync('which', [program]).status !== 0);
  return lacks === undefined ? undefined : `"${lacks}" is missing`;
}

/** An sshd of its own at a free port, with a key of its own and one that it lets in. */
export async function sshServer(): Promise<SshServer> {
  const path = mkdtempSync(join(tmpdir(), 'lastack-ssh-'));
  mkdirSync(PRIVILEGE_SEPARATION, { recursive: true });
  for (const name of ['host', 'client'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(path, name)]);
  const allowed = join(path, 'allowed');
  writeFileSync(allowed, readFileSync(join(path, 'client.pub')));
  const port = await freePort();
  const settings = {
    Port: port,
    ListenAddress: '127.0.0.1',
    HostKey: join(path, 'host'),
    AuthorizedKeysFile: allowed,
    PidFile: 'none',
    StrictModes: 'no',
    UsePAM: 'no',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    PermitRootLogin: 'prohibit-password',
    SetEnv: `"PATH=${process.env.PATH}"`,
  };
  writeFileSync(join(path, 'sshd_config'), lines(settings, ' '));
  const server = spawn(SSHD, ['-D', '-e', '-f', join(path, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  while (!said.includes('listening on 127.0.0.1')) said += String((await once(server.stderr, 'data'))[0]);
  server.stderr.resume();
  const programs = join(path, 'bin');
  mkdirSync(programs);
  const options = `-F none -i ${path}/client -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR`;
  writeFileSync(join(programs, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh ${options} "$@"\n`);
  chmodSync(join(programs, 'ssh'), 0o755);
  return {
    host: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    programs,
    lockOut: () => writeFileSync(allowed, ''),
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await once(server, 'exit');
      rmSync(path, { recursive: true });
    },
  };
}

const lines = (settings: object, between: string): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key}${between}${value}\n`)
    .join('');

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Sets variables while something is done. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string>>,
  doing: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((key) => [key, process.env[key]] as const);
  Object.assign(process.env, variables);
  try {
    return await doing();
  } finally {
    for (const [key, value] of before)
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
  }
}
