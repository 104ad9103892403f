import { expect } from 'chai';
import { debianMirrors, suitesAt } from './debian-mirrors.js';

const OURS = ['http://deb.debian.org/debian', 'http://archive.debian.org/debian'];

describe("Debian's mirrors", () => {
  it('are those of sources in one line, whatever their options', () => {
    const list = `# deb http://commented.example/debian bookworm main
deb http://one.example/debian/ bookworm main contrib
deb [arch=amd64 signed-by=/usr/share/keyrings/some.gpg] https://two.example/debian  trixie main
deb-src http://sources.example/debian bookworm main
deb http://security.example/debian-security bookworm-security main
deb https://packages.example/apt cloud-sdk-bookworm main
deb cdrom:[Debian]/ bookworm main
`;
    expect(debianMirrors([list])).to.deep.equal([
      'http://one.example/debian',
      'https://two.example/debian',
      ...OURS,
    ]);
  });

  it('are those of sources in paragraphs', () => {
    const sources = `Types: deb
# a comment in between
URIs: http://one.example/debian
 http://two.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security

Enabled: no
URIs: http://off.example/debian
Suites: bookworm

Types: deb
URIs: https://deb.example/node
Suites: nodistro
`;
    expect(debianMirrors([sources])).to.deep.equal([
      'http://one.example/debian',
      'http://two.example/debian',
      ...OURS,
    ]);
  });

  it("are Debian's own where the machine has none, as on Ubuntu", () => {
    expect(debianMirrors([])).to.deep.equal(OURS);
    expect(debianMirrors(['deb http://archive.ubuntu.com/ubuntu noble main\n'])).to.deep.equal(OURS);
  });

  it('are named once', () => {
    const line = 'deb http://deb.debian.org/debian bookworm main\n';
    expect(debianMirrors([line, line])).to.deep.equal(OURS);
  });

  it('are asked for all suites with kernels, and for the later versions beside', () => {
    const suites = suitesAt('http://one.example/debian');
    expect(suites.map(([, suite]) => suite)).to.include.members(['bullseye', 'trixie-backports', 'sid']);
    expect(suites).to.deep.include(['http://one.example/debian-security', 'bullseye-security']);
  });
});
