import { conformance } from '../harness/index.js';
import { handshakeScenarios } from './handshake/index.js';
import { knownDeviations } from './known-deviations.js';

conformance('handshake', handshakeScenarios, { known: knownDeviations });
