import { expect } from 'chai';
import type { Trace } from '../trace/index.js';
import { opened } from './stories.fixture.js';
import {
  staysOpenWhileProbed,
  zeroWindowProbed,
  zeroWindowProbesAnswered,
  zeroWindowProbesBackOff,
} from './zero-window.js';

/** The server has no room for what it had offered room for: the client repeats it into the shut window. */
const takenBack = (): Trace =>
  opened(
    'client PSH,ACK data=100',
    'server ACK ack=5 win=0 [pure-ack]',
    '+204 client PSH,ACK seq=5 data=100 again',
    'server ACK ack=5 win=0 [pure-ack]',
    '+408 client PSH,ACK seq=5 data=100 again',
    '+816 client PSH,ACK seq=5 data=100 again',
    'server ACK ack=5 win=0 [pure-ack]',
    '+1632 client PSH,ACK seq=5 data=100 again',
    'server ACK ack=5 win=0 [pure-ack]',
    '+1000 server ACK ack=5 win=64240 [pure-ack]',
    'client PSH,ACK seq=5 data=100 again',
    'server ACK',
    '+700 mark end',
  );

describe('a window that is taken back', () => {
  for (const check of [zeroWindowProbed(), zeroWindowProbesAnswered(), staysOpenWhileProbed()]) {
    it(`is probed by what is sent again: ${check.sentence}`, () => {
      expect(check.judge(takenBack())).to.include({ verdict: 'pass' });
    });

    it(`must be probed all the same: ${check.id}`, () => {
      expect(check.judge(check.mutate(takenBack())).verdict).to.equal('fail');
    });
  }

  it('is probed later and later', () => {
    const check = zeroWindowProbesBackOff();
    expect(check.judge(takenBack()).verdict).to.equal('pass');
    expect(check.judge(check.mutate(takenBack())).verdict).to.equal('non-strict');
  });
});
