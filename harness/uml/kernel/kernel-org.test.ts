import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { type TestFolder, testFolder } from './cache.fixture.js';
import { downloadRelease, findRelease } from './kernel-org.js';

const TARBALL = Buffer.alloc(200_000, 'kernel ');
const sum = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
const OTHER = sum(Buffer.from('another'));
const SUMS = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

${OTHER}  linux-6.12.tar.xz
${OTHER}  linux-6.12.9.tar.xz
${sum(TARBALL)}  linux-6.12.10.tar.xz
${OTHER}  linux-6.12.10.tar.gz
${OTHER}  linux-6.12-rc1.tar.xz
${OTHER}  patch-6.12.11.xz
${OTHER}  linux-6.1.192.tar.xz
-----BEGIN PGP SIGNATURE-----
`;

describe('kernel.org', () => {
  let server: Server;
  let site: string;
  let folder: TestFolder;
  before(async () => {
    folder = testFolder();
    server = createServer((request, response) => {
      if (request.url === '/v6.x/sha256sums.asc') response.end(SUMS);
      else if (request.url?.endsWith('.tar.xz') === true)
        response.writeHead(200, { 'content-length': TARBALL.length }).end(TARBALL);
      else if (request.url?.startsWith('/v8.x') === true) response.writeHead(503).end();
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    folder.remove();
  });

  for (const [wanted, release] of [
    [{ major: 6, minor: 12 }, '6.12.10'],
    [{ major: 6 }, '6.12.10'],
    [{ major: 6, minor: 12, patch: 9 }, '6.12.9'],
    [{ major: 6, minor: 12, patch: 0 }, '6.12'],
    [{ major: 6, minor: 12, patch: 11 }, undefined],
    [{ major: 6, minor: 13 }, undefined],
    [{ major: 7 }, undefined],
  ] as const)
    it(`has ${release ?? 'nothing'} for ${JSON.stringify(wanted)}`, async () =>
      expect((await findRelease(wanted, site))?.release).to.equal(release));

  it('gives a tarball, telling how far it is', async () => {
    const release = await findRelease({ major: 6, minor: 12 }, site);
    const percents: number[] = [];
    const file = await downloadRelease(release ?? expect.fail(), folder.path, (percent) =>
      percents.push(percent),
    );
    expect(readFileSync(file).equals(TARBALL)).to.equal(true);
    expect(percents.at(-1)).to.equal(100);
  });

  const rejection = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'no rejection',
      (error: Error) => error.message,
    );

  it('is not believed where the checksum is another', async () => {
    const release = await findRelease({ major: 6, minor: 1 }, site);
    const download = downloadRelease(release ?? expect.fail(), folder.path, () => {});
    expect(await rejection(download)).to.match(/linux-6\.1\.192.*another checksum/);
  });

  it('that does not serve, or cannot be reached, is an error', async () => {
    expect(await rejection(findRelease({ major: 8 }, site))).to.match(/503/);
    expect(await rejection(findRelease({ major: 6 }, 'http://127.0.0.1:1'))).to.match(/fetch failed/);
  });
});
