/** What a program, or whoever runs the stack, may choose. Each has the default that its RFC recommends, or says why not. */

export interface TcpSettings {
  /** The first RTO, before a round trip was measured (RFC 6298 section 2, rule 2.1). */
  readonly rtoInitialMs: number;
  /** The RTO is never shorter (rule 2.4: it SHOULD be 1 s). */
  readonly rtoMinMs: number;
  /** Nor longer (rule 2.5: a bound, if any, is at least 60 s). */
  readonly rtoMaxMs: number;

  /** How often a SYN is repeated before the opening is given up. Seven make three minutes (RFC 9293 MUST-23). */
  readonly synRetries: number;
  readonly synAckRetries: number;
  /** R1 of RFC 9293 section 3.8.3: after so many repeats the program and IP are told, once; at least 3 (SHLD-10). 0: never. */
  readonly troubledRetries: number;
  /** How often data or a FIN is repeated: R2 of RFC 9293 section 3.8.3, at least 100 s. */
  readonly dataRetries: number;
  /** The same once the program is gone. */
  readonly orphanRetries: number;
  /** The user timeout of RFC 9293 section 3.8.3 in ms: how long data may stay unacknowledged. 0: until R2. */
  readonly userTimeoutMs: number;
  /** Tells the other side the user timeout, and heeds what it tells (RFC 5482). */
  readonly userTimeoutOption: boolean;

  /** How long an ACK may wait for data to travel with (RFC 9293 MUST-40: less than 500 ms). 0: not at all. */
  readonly ackDelayMs: number;
  /** The same for the ACK of a SYN,ACK, which data may accompany. */
  readonly handshakeAckDelayMs: number;
  /** Sends small segments at once (RFC 9293 MUST-17: Nagle's algorithm can be turned off). */
  readonly noDelay: boolean;
  /** Holds back what does not fill a segment until it is turned off, or for 200 ms. */
  readonly cork: boolean;

  /** The largest segment that this side offers to take; 0: what fits the link. */
  readonly maxSegmentOctets: number;
  /** RFC 7323 section 3. */
  readonly timestamps: boolean;
  /** RFC 7323 section 2. */
  readonly windowScale: boolean;
  /** RFC 2018. */
  readonly sack: boolean;
  /** RFC 3168. `accept`: only when the other side asks. */
  readonly ecn: 'off' | 'accept' | 'ask';

  /** What SEND may leave with the stack, in octets. */
  readonly sendBufferOctets: number;
  /** The largest window that is offered, in octets. */
  readonly receiveBufferOctets: number;

  /** RFC 9293 section 3.8.4: off unless a program asks (MUST-25), and then not before two hours (MUST-28). */
  readonly keepAlive: boolean;
  readonly keepAliveIdleMs: number;
  readonly keepAliveIntervalMs: number;
  /** Probes without an answer after which the connection is given up. */
  readonly keepAliveProbes: number;

  /** TIME-WAIT lasts twice this. RFC 9293 section 3.4.2 takes 2 minutes and leaves it to engineering; everybody takes less. */
  readonly mslMs: number;
  /** A new SYN may end TIME-WAIT when its numbers or its timestamp cannot be old (RFC 6191, RFC 9293 MAY-2). */
  readonly timeWaitReuse: boolean;
  /** A RST does not end TIME-WAIT (RFC 1337). */
  readonly timeWaitIgnoresReset: boolean;
  /** How long FIN-WAIT-2 lasts when nobody will read any more. RFC 9293 has no such limit. */
  readonly finWait2Ms: number;

  /** Which RST and SYN are believed: RFC 5961's, or those of RFC 793, which believed all in the window. */
  readonly resetProfile: 'rfc5961' | 'rfc793';
  /** Challenge ACKs a connection sends in 5 s at most (RFC 5961 section 7). */
  readonly challengeAcksPer5s: number;

  /**
   * Whether ICMP's hard errors (port or protocol unreachable) end established connections too, as RFC 9293 SHLD-26 would have it, or
   * openings only, for anybody can send them (RFC 5927 section 5.2).
   */
  readonly hardErrorsAbort: 'openings' | 'always';

  readonly congestionControl: 'cubic' | 'newreno';
  /** RFC 6928. */
  readonly initialWindowSegments: number;
  /** RFC 8985 section 7. */
  readonly tailLossProbe: boolean;

  /** `icmp`: RFC 1191 and RFC 8201. `probe`: the stack also finds the path's MTU by itself (RFC 4821). */
  readonly pathMtuDiscovery: 'off' | 'icmp' | 'probe';
  readonly hopLimit: number;
  /** The six bits of DSCP. */
  readonly dscp: number;
}

export const DEFAULT_SETTINGS: TcpSettings = {
  rtoInitialMs: 1000,
  rtoMinMs: 1000,
  rtoMaxMs: 60_000,
  synRetries: 7,
  synAckRetries: 7,
  troubledRetries: 3,
  dataRetries: 15,
  orphanRetries: 8,
  userTimeoutMs: 0,
  userTimeoutOption: true,
  ackDelayMs: 100,
  handshakeAckDelayMs: 0,
  noDelay: false,
  cork: false,
  maxSegmentOctets: 0,
  timestamps: true,
  windowScale: true,
  sack: true,
  ecn: 'accept',
  sendBufferOctets: 1 << 20,
  receiveBufferOctets: 1 << 20,
  keepAlive: false,
  keepAliveIdleMs: 7_200_000,
  keepAliveIntervalMs: 75_000,
  keepAliveProbes: 9,
  mslMs: 30_000,
  timeWaitReuse: true,
  timeWaitIgnoresReset: false,
  finWait2Ms: 60_000,
  resetProfile: 'rfc5961',
  challengeAcksPer5s: 10,
  hardErrorsAbort: 'openings',
  congestionControl: 'cubic',
  initialWindowSegments: 10,
  tailLossProbe: true,
  pathMtuDiscovery: 'icmp',
  hopLimit: 64,
  dscp: 0,
};
