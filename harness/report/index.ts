export * from './files.js';
export * from './ladder.js';
export * from './merge-timers.js';
export * from './progress.js';
export * from './run-report.js';
export { type Terminal, terminalOf } from './terminal.js';
export * from './timer-lines.js';
export * from './timer-table.js';
export { type Citation, tally, type VerdictEntry, verdictLines } from './verdicts.js';
