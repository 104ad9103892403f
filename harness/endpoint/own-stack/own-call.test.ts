import { expect } from 'chai';
import { SocketError, Unsupported, WaitTimeout } from '../endpoint.js';
import { refusalOf, resultOf } from './own-call.js';

/** What is thrown on the other side of a thread's border. */
function carriedOver(error: Error): unknown {
  try {
    return resultOf(structuredClone(refusalOf(error)));
  } catch (thrown) {
    return thrown;
  }
}

describe('an error that crosses a thread’s border', () => {
  for (const error of [
    new SocketError('ECONNREFUSED', 'connect'),
    new SocketError('EADDRINUSE', 'bind', '198.18.0.1 port 7000 (taken)'),
    new WaitTimeout('accept', 250),
    new Unsupported('the endpoint stack has no socket option TCP_ULP'),
    new Error('a mistake'),
  ])
    it(`is the same on the other side: ${error.name} "${error.message}"`, () => {
      const carried = carriedOver(error);
      expect(carried).to.be.instanceOf(error.constructor);
      expect({ ...(carried as Error), message: (carried as Error).message }).to.deep.equal({
        ...error,
        message: error.message,
      });
    });

  it('is not made of a value', () => {
    expect(resultOf({ kind: 'value', value: 7 })).to.equal(7);
  });
});
