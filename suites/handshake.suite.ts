import { conformance } from '../harness/index.js';
import { handshakeScenarios } from './handshake/index.js';

conformance('handshake', handshakeScenarios);
