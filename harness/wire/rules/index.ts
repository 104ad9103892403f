export { AppliedRules, type ApplyOptions, RulesUnavailable } from './applied-rules.js';
export { type Command, commandText } from './command.js';
export * from './compile.js';
export { CHAINS, type Chain, type RulePlace } from './place.js';
export { type RulesCapability, rulesCapability } from './probe.js';
export { type Refusal, refusalText } from './refusal.js';
export { type Compiled, type Counts, DIALECTS, type Dialect, type RuleSet } from './rule-set.js';
