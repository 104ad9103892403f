/**
 * Imports point downwards only, and a folder is entered by its door (index.ts).
 * Each row lists what a folder of harness/ may import; what is not listed is above it or beside it.
 */
const below = {
  segment: [],
  clock: [],
  sys: ['segment', 'clock'],
  fault: ['segment', 'clock'],
  wire: ['segment', 'clock', 'sys', 'fault'],
  endpoint: ['segment', 'clock', 'sys', 'fault'],
  observe: ['segment', 'clock', 'sys', 'fault', 'endpoint'],
  lab: ['segment', 'clock', 'sys', 'fault', 'wire', 'endpoint', 'observe'],
  trace: ['segment', 'clock', 'fault', 'wire', 'endpoint', 'observe', 'lab'],
  spec: ['segment', 'clock', 'endpoint'],
  // Judgement is pure: it sees recorded facts, never a lab or a system call.
  check: ['segment', 'clock', 'fault', 'endpoint', 'observe', 'trace', 'spec'],
  run: ['segment', 'clock', 'sys', 'fault', 'wire', 'endpoint', 'observe', 'lab', 'trace', 'spec', 'check'],
  report: [
    'segment',
    'clock',
    'fault',
    'wire',
    'endpoint',
    'observe',
    'lab',
    'trace',
    'spec',
    'check',
    'run',
  ],
  mocha: [
    'segment',
    'clock',
    'sys',
    'fault',
    'wire',
    'endpoint',
    'observe',
    'lab',
    'trace',
    'spec',
    'check',
    'run',
    'report',
  ],
  cli: [
    'segment',
    'clock',
    'sys',
    'fault',
    'wire',
    'endpoint',
    'observe',
    'lab',
    'trace',
    'spec',
    'check',
    'run',
    'report',
  ],
};

const downwards = Object.entries(below).map(([folder, allowed]) => ({
  name: `${folder}-imports-downwards`,
  comment: `harness/${folder} may import only ${allowed.join(', ') || 'nothing'} of the harness`,
  severity: 'error',
  from: { path: `^harness/${folder}/` },
  to: {
    path: '^(harness|suites|bench|stack)/',
    pathNot: `^harness/(${[folder, ...allowed].join('|')})/${folder === 'cli' ? '|^suites/index\\.ts$' : ''}`,
  },
}));

const doors = Object.keys(below).map((folder) => ({
  name: `${folder}-has-one-door`,
  comment: `reach harness/${folder} through its index.ts`,
  severity: 'error',
  from: { pathNot: `^harness/${folder}/` },
  to: { path: `^harness/${folder}/`, pathNot: `^harness/${folder}/index\\.ts$` },
}));

module.exports = {
  forbidden: [
    ...downwards,
    ...doors,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'suites-use-the-public-door',
      comment: 'a suite is written as a user would write it: against harness/index.ts',
      severity: 'error',
      from: { path: '^suites/' },
      to: { path: '^harness/', pathNot: '^harness/index\\.ts$' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'], exportsFields: ['exports'] },
  },
};
