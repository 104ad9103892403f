// The service under test: orders, by their number.
import { createServer } from 'node:http';

createServer(({ url }, response) => {
  const [, id] = /^\/orders\/(\d+)$/.exec(url) ?? [];
  if (id === undefined) return response.writeHead(404).end();
  response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ id: Number(id), state: 'paid' }));
}).listen(8080, () => console.log('orders at port 8080'));

process.on('SIGTERM', () => process.exit());
