import { expect, use } from 'chai';
import { docker, drop, finalAck } from 'lastack';
import { lastackChai } from 'lastack/chai';
import { GenericContainer, Wait } from 'testcontainers';
import { order } from './order.js';

use(lastackChai);

describe('the orders, in a container that testcontainers started', () => {
  it('are served, and the connection is freed, when the final ACK gets lost', async () => {
    await using network = await docker.network();
    const image = new GenericContainer('http-service').withNetworkMode(network.name).withExposedPorts(8080);
    const ready = Wait.forLogMessage('orders at port 8080');
    await using container = await image.withWaitStrategy(ready).start();
    await using attached = await docker.attach(container, { faults: [drop(finalAck().copy(1))] });
    const address = { ip: container.getHost(), port: container.getMappedPort(8080) };
    expect(await order(7, address)).to.deep.equal({ id: 7, state: 'paid' });
    await attached.wire.sees(finalAck().copy(2));
    await attached.reaches('server', 'CLOSED');
    expect(await attached.trace())
      .to.retransmit('server.fin')
      .within(1000);
  });
});
