/** The kernel's end of a bulk transfer, as a process of its own: connects, takes or sends, and says how long it took, in ns. */
import { once } from 'node:events';
import { connect } from 'node:net';

const [direction, ip, port, octets = '0'] = process.argv.slice(2);
const CHUNK = Buffer.alloc(262_144);
const taken = Buffer.allocUnsafe(1 << 20);

let beginNs = process.hrtime.bigint();
let received = 0;
const socket = connect({
  host: ip ?? '',
  port: Number(port),
  onread: {
    buffer: taken,
    callback: (count) => {
      received += count;
      return true;
    },
  },
});
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
await once(socket, 'connect');
beginNs = process.hrtime.bigint();
if (direction === 'send') {
  for (let left = Number(octets); left > 0; left -= CHUNK.length)
    if (!socket.write(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK)) await once(socket, 'drain');
  socket.end();
}
await once(socket, 'end');
const tookNs = process.hrtime.bigint() - beginNs;
if (direction === 'receive' && received !== Number(octets)) {
  process.stderr.write(`${received} octets came instead of ${octets}\n`);
  process.exit(1);
}
process.stdout.write(`${tookNs}\n`);
socket.destroy();
