/**
 * Where the stacks that were tried are known to do otherwise than the checks of these suites demand. What is not listed and deviates
 * is not as expected, and what is listed and does not.
 */
import type { KnownDeviation } from '../harness/index.js';

export const knownDeviations: readonly KnownDeviation[] = [
  {
    stack: 'linux',
    side: 'client',
    check: 'client-syn-kept-trying',
    scenarios: ['long/syn-given-up'],
    verdict: 'fail',
    reason:
      'six retries are the default (and since 6.5 four more at even distances before them), which end after 127 to 135 s',
    link: 'RFC 9293 section 3.8.3 MUST-23; Linux include/net/tcp.h TCP_SYN_RETRIES, net/ipv4/tcp_timer.c tcp_write_timeout',
  },
];
