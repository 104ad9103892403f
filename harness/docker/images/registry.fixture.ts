/** For tests: a registry with one small image, by which pulling can be tried where no other answers. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { machine } from 'node:os';
import { gzipSync } from 'node:zlib';
import { tar } from '../engine/index.js';

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:40123` */
  readonly host: string;
  /** `127.0.0.1:40123/small:1` */
  readonly image: string;
  readonly requests: readonly string[];
}

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const digestOf = (octets: Uint8Array): string =>
  `sha256:${createHash('sha256').update(octets).digest('hex')}`;

/** A mute one takes requests and says nothing. */
export async function registry({ isMute = false } = {}): Promise<Registry> {
  const layer = tar([{ path: 'file', content: Buffer.from(`${Math.random()}`), mode: 0o644 }]);
  const blob = gzipSync(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: machine() === 'aarch64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      history: [{ created: '2026-01-01T00:00:00Z' }],
    }),
  );
  const described = (mediaType: string, octets: Buffer) => ({
    mediaType,
    size: octets.length,
    digest: digestOf(octets),
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: described('application/vnd.docker.container.image.v1+json', config),
      layers: [described('application/vnd.docker.image.rootfs.diff.tar.gzip', blob)],
    }),
  );
  const blobs = new Map([config, blob, manifest].map((octets) => [digestOf(octets), octets]));
  const requests: string[] = [];
  const server = createServer(({ method, url = '' }, response) => {
    requests.push(`${method} ${url}`);
    if (isMute) return;
    const name = url.split('/').at(-1) ?? '';
    const octets = name === '1' ? manifest : blobs.get(name);
    if (octets === undefined && url !== '/v2/') {
      const errors = [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }];
      response.writeHead(404, { 'Content-Type': 'application/json' }).end(JSON.stringify({ errors }));
      return;
    }
    const body = octets ?? Buffer.from('{}');
    response.writeHead(200, {
      'Content-Type': url.includes('/manifests/') ? MANIFEST : 'application/octet-stream',
      'Content-Length': body.length,
      'Docker-Content-Digest': digestOf(body),
    });
    response.end(method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    image: `${host}/small:1`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
