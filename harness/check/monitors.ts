/** Rules that hold on every trace, whatever its scenario: each is judged on every run. Where a rule has nothing to say it informs. */

import type { Check } from './check.js';
import {
  repeatsNotEarly,
  sackOnlyIfPermitted,
  timestampsOnEverySegment,
  windowNotShrunk,
} from './connection-rules.js';
import { oneFinForEachSide } from './repeated-fin.js';
import { resetsNotAnswered } from './reset.js';
import {
  checksumsRight,
  flagsLegal,
  localAddressConstant,
  mssKept,
  mssOnlyOnSyn,
  optionsReadable,
  sackPermittedOnlyOnSyn,
} from './segment-rules.js';
import { transitionsLegal } from './states.js';

export const monitors: readonly Check[] = [
  checksumsRight,
  flagsLegal,
  optionsReadable,
  mssOnlyOnSyn,
  sackPermittedOnlyOnSyn,
  sackOnlyIfPermitted,
  timestampsOnEverySegment,
  windowNotShrunk,
  mssKept,
  localAddressConstant,
  repeatsNotEarly,
  oneFinForEachSide(),
  resetsNotAnswered(),
  transitionsLegal(),
];
