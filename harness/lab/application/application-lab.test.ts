/** Stories whose server is a program that nobody drives: it listens in a lab's namespace, and is seen on the wire alone. */
import { expect } from 'chai';
import type { Connection, Endpoint } from '../../endpoint/index.js';
import { SocketError, Unsupported, WaitTimeout } from '../../endpoint/index.js';
import { drop, finalAck } from '../../fault/index.js';
import { type NetnsLab, openNetnsLab } from '../netns/netns-lab.js';
import { ApplicationEnded } from './application-endpoint.js';
import { ApplicationLab } from './application-lab.js';
import { Dialogue } from './dialogue.js';

const PORT = 5432;

/** Answers whatever it is told, and closes when its client has. */
async function answers(connection: Connection): Promise<void> {
  for (;;) {
    const received = await connection.receive();
    if (received.kind === 'end') break;
    await connection.send('an answer of more octets than the story knows of');
  }
  await connection.close();
}

interface Setup {
  readonly lab: ApplicationLab;
  readonly below: NetnsLab;
}

interface Program {
  readonly request?: string;
  readonly behaves?: typeof answers;
  readonly isAlive?: () => boolean;
}

async function withApplication(
  { request, behaves = answers, isAlive }: Program,
  step: (setup: Setup) => Promise<void>,
): Promise<void> {
  const below = await openNetnsLab({ ipVersion: 4, faults: [drop(finalAck(), { times: 1 })] });
  const program: Endpoint = below.endpoint('server');
  const listener = await program.listen({ port: PORT });
  const served = listener.accept().then(behaves);
  await using lab = new ApplicationLab(below, {
    text: 'the program',
    stack: program.stack,
    address: listener.local,
    dialogue: new Dialogue(request),
    sockets: () => program.sockets(),
    ...(isAlive === undefined ? {} : { isAlive }),
  });
  await step({ lab, below });
  // What it does when its lab goes concerns nobody.
  served.catch(() => {});
}

const STORY_PORT = 7000;

async function opened(lab: ApplicationLab): Promise<{ client: Connection; server: Connection }> {
  const listener = await lab.endpoint('server').listen({ port: STORY_PORT });
  const client = await lab.endpoint('client').connect(listener.local);
  return { client, server: await listener.accept() };
}

describe('a lab whose server is an application', () => {
  for (const [how, request] of [
    ['speaks in its own words', 'GET / HTTP/1.0\r\n\r\n'],
    ['says nothing where it was given no request', undefined],
  ] as const)
    it(`plays a story to its lost final ACK: the client ${how}`, async () => {
      await withApplication(request === undefined ? {} : { request }, async ({ lab, below }) => {
        const { client, server } = await opened(lab);
        await client.send('ping');
        await server.receiveAll({ octets: 4 });
        await server.send('pong');
        await client.receiveAll({ octets: 4 });
        await client.shutdown('write');
        expect(await server.receiveAll()).to.have.property('ended', true);
        await server.close();
        expect(await client.receiveAll()).to.have.property('ended', true);
        await client.close();
        await lab.wire.sees(finalAck().copy(2), { delivered: true });
        const { segments, receipts, calls } = await lab.recording();
        const payload = segments.reduce(
          (sum, { facts, from }) =>
            sum + (from === 'client' && facts?.roles.includes('data') ? facts.len : 0),
          0,
        );
        expect(payload).to.equal(request?.length ?? 0);
        expect(receipts).to.have.nested.property('[0].acted', 1);
        expect(segments.filter(({ facts }) => facts?.roles.includes('final-ack'))).to.have.lengthOf(2);
        expect(calls.filter(({ side, call }) => side === 'server' && call === 'receiveAll')).to.be.empty;
        expect((await below.recording()).segments.length).to.equal(segments.length);
      });
    });

  it('is reached where the story has it listen, and nowhere else', async () => {
    await withApplication({}, async ({ lab }) => {
      const to = (port: number) => ({ ip: lab.ip('server'), port });
      await lab.endpoint('server').listen({ port: STORY_PORT });
      const client = await lab.endpoint('client').connect(to(STORY_PORT));
      expect(client.remote.port).to.equal(PORT);
      const refused = await lab
        .endpoint('client')
        .connect(to(STORY_PORT + 1))
        .catch((each: unknown) => each);
      expect(refused).to.be.instanceOf(SocketError).with.property('errno', 'ECONNREFUSED');
    });
  });

  it('waits no longer than it was told for an application that does not close', async () => {
    const behaves = async (): Promise<void> => {};
    await withApplication({ behaves }, async ({ lab }) => {
      const { server } = await opened(lab);
      const error = await server.send('pong').then(
        () => undefined,
        (refused: unknown) => refused,
      );
      expect(error).to.equal(undefined);
      const receiving = server.receive({ withinMs: 50 });
      const timeout = await receiving.catch((each: unknown) => each);
      expect(timeout)
        .to.be.instanceOf(WaitTimeout)
        .with.property('message')
        .that.includes('the program: receive');
    });
  });

  it('hears that the application was reset', async () => {
    await withApplication({ behaves: (connection) => connection.abort() }, async ({ lab }) => {
      const { server } = await opened(lab);
      const error = await server.receive().catch((each: unknown) => each);
      expect(error).to.be.instanceOf(SocketError).with.property('errno', 'ECONNRESET');
      await server.close();
    });
  });

  it('hears that the application has ended, whatever it waits for', async () => {
    let isAlive = true;
    const behaves = async (): Promise<void> => {};
    await withApplication({ behaves, isAlive: () => isAlive }, async ({ lab }) => {
      const { server } = await opened(lab);
      const closing = server.close().catch((each: unknown) => each);
      isAlive = false;
      for (const failed of [
        await closing,
        await lab
          .endpoint('server')
          .sockets()
          .catch((each) => each),
      ])
        expect(failed)
          .to.be.instanceOf(ApplicationEnded)
          .with.property('message')
          .that.matches(/^the program has ended while/);
    });
  });

  it('says what an application cannot be told to do', async () => {
    await withApplication({}, async ({ lab }) => {
      const { server } = await opened(lab);
      for (const refused of [
        server.abort(),
        server.setOption('TCP_NODELAY', 1),
        lab.endpoint('server').listen({ port: 1, options: { SO_RCVBUF: 4096 } }),
        lab.endpoint('server').connect({ ip: lab.ip('client'), port: 1 }),
      ]) {
        const error = await refused.catch((each: unknown) => each);
        expect(error)
          .to.be.instanceOf(Unsupported)
          .with.property('message')
          .that.includes('the program is not');
      }
    });
  });
});
