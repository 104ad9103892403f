/** What Toxiproxy refuses, or why it cannot be asked: one sentence that says what, where and what to do. */
export type ToxiproxyProblem =
  | 'away'
  | 'port-taken'
  | 'proxy-exists'
  | 'no-proxy'
  | 'unknown-toxic'
  | 'toxic-exists'
  | 'no-toxic'
  | 'not-built'
  | 'bad-toxic'
  | 'refused';

export class ToxiproxyError extends Error {
  override readonly name = 'ToxiproxyError';
  constructor(
    readonly kind: ToxiproxyProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
