import { equal } from 'node:assert/strict';
import { decode } from '../../harness/segment/index.js';
import { SERVER_IP, TwoHosts } from '../simulation/two-hosts.js';

const LATENCY_NS = 1e6;
const OCTETS = 1_000_000;

describe('What was lost', () => {
  it('is sent again once, though new data left in the same moment', () => {
    let lost = 0;
    const { client, server, clock } = new TwoHosts({
      fate: ({ from, index, packet }) => {
        const decoded = decode(packet);
        const isData = decoded.kind === 'segment' && decoded.segment.payload.length > 0;
        if (from === 'server' || !isData || index % 101 !== 100) return [LATENCY_NS];
        lost += 1;
        return [];
      },
    });
    const listener = server.listen({ port: 80 });
    const socket = client.connect({ ip: SERVER_IP, port: 80 });
    socket.send(new Uint8Array(OCTETS));
    let received = 0;
    listener.onConnection = () => {
      const accepted = listener.accept();
      if (accepted === undefined) return;
      accepted.onNotice = ({ kind }) => {
        if (kind === 'readable') received += accepted.receive(OCTETS).length;
      };
    };
    clock.run();
    equal(received, OCTETS);
    equal(lost > 3, true);
    equal(socket.block.counts.retransmissions, lost);
  });
});
