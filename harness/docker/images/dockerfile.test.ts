import { expect } from 'chai';
import { changesOf, defaultOf, labelLine, labelled } from './dockerfile.js';

const DOCKERFILE = `# CMD in a comment
ARG DEBIAN=debian:trixie-slim
FROM \${DEBIAN}
COPY packages /tmp/packages
RUN apt-get update \\
  && CMD here is none
USER 33:33
ENTRYPOINT ["/toxiproxy", \\
  "-host=0.0.0.0"]
`;

describe('of a Dockerfile', () => {
  it('an import is told what is no file and no command', () => {
    expect(changesOf(DOCKERFILE)).to.deep.equal(['USER 33:33', 'ENTRYPOINT ["/toxiproxy", "-host=0.0.0.0"]']);
  });

  it('an argument has its default, and one without any is an error of ours', () => {
    expect(defaultOf(DOCKERFILE, 'DEBIAN')).to.equal('debian:trixie-slim');
    expect(() => defaultOf(DOCKERFILE, 'BASE')).to.throw(TypeError, 'ARG BASE');
  });

  it('all that is built bears the labels, whatever is in them', () => {
    const labels = { 'lastack.way': 'costs $& and "more"' };
    expect(labelled('FROM debian\nUSER 1\n', labels).split('\n')).to.deep.equal([
      'FROM debian',
      'LABEL lastack.way="costs $& and \\"more\\""',
      'USER 1',
      '',
    ]);
    expect(labelLine({ a: '1', b: '2' })).to.equal('LABEL a="1" b="2"');
  });
});
