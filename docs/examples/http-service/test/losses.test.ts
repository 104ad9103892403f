import { expect, use } from 'chai';
import { docker, drop, finalAck, synAck } from 'lastack';
import { lastackChai } from 'lastack/chai';
import { order } from './order.js';

use(lastackChai);

const PAID = { id: 7, state: 'paid' };

describe('the orders', () => {
  it('are served, and the connection is freed, when the final ACK gets lost', async () => {
    await using service = await docker.run({ image: 'http-service', port: 8080 });
    await using attached = await docker.attach(service, { faults: [drop(finalAck().copy(1))] });
    expect(await order(7, service.address)).to.deep.equal(PAID);
    await attached.wire.sees(finalAck().copy(2));
    await attached.reaches('server', 'CLOSED');

    const trace = await attached.trace();
    expect(trace).to.have.states('server', ['ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED']);
    expect(trace).to.retransmit('server.fin').within(1000);
  });

  it('are served a second late when the SYN,ACK gets lost', async () => {
    await using service = await docker.run({ image: 'http-service', port: 8080 });
    await using attached = await docker.attach(service, { faults: [drop(synAck().copy(1))] });
    expect(await order(7, service.address)).to.deep.equal(PAID);

    const trace = await attached.trace();
    expect(trace).to.retransmit('syn-ack');
    expect(trace).to.haveSegment('syn-ack').thatIs('dropped').times(1);
  });
});
