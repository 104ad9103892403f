import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tar } from './tar.js';

describe('a tar archive', () => {
  it('is read by tar, modes, lengths that are no block and long paths included', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lastack-tar-'));
    try {
      const long = `${'a'.repeat(60)}/${'b'.repeat(60)}/${'c'.repeat(60)}`;
      const files = [
        { path: '/bin/one', content: Buffer.from('x'.repeat(513)), mode: 0o755 },
        { path: `/${long}`, content: new Uint8Array(0), mode: 0o600 },
      ];
      execFileSync('tar', ['-x', '-C', folder], { input: tar(files) });
      for (const { path, content, mode } of files) {
        expect(readFileSync(join(folder, path)).equals(Buffer.from(content))).to.equal(true);
        expect(statSync(join(folder, path)).mode & 0o777).to.equal(mode);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has no room for a name of more than 100 octets', () => {
    expect(() => tar([{ path: `/${'x'.repeat(101)}`, content: new Uint8Array(0), mode: 0o644 }])).to.throw(
      RangeError,
      /too long/,
    );
  });
});
