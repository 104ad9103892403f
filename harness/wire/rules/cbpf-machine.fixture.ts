/** The machine of classic BPF, for tests: runs a program on a packet as net/core/filter.c does. */
import type { Instruction } from './cbpf.js';

/** A read beyond the packet ends the program with 0. */
class BeyondPacket extends Error {}

interface State {
  a: number;
  x: number;
  readonly memory: (number | undefined)[];
}

/** What the program returns. */
export function runProgram(program: readonly Instruction[], packet: Uint8Array): number {
  const state: State = { a: 0, x: 0, memory: new Array<number | undefined>(16).fill(undefined) };
  try {
    for (let at = 0; ; at += 1) {
      const instruction = program[at];
      if (instruction === undefined) throw new Error(`the program runs off its end at ${at}`);
      const { code, k, jt, jf } = instruction;
      if (code === 0x06) return k;
      if (code === 0x05) at += k;
      else if ((code & 7) === 5) at += holds(code, state, k) ? jt : jf;
      else step(state, instruction, packet);
    }
  } catch (error) {
    if (error instanceof BeyondPacket) return 0;
    throw error;
  }
}

function holds(code: number, { a, x }: State, k: number): boolean {
  const operand = (code & 8) === 0 ? k : x;
  switch (code & 0xf0) {
    case 0x10:
      return a === operand;
    case 0x20:
      return a > operand;
    case 0x30:
      return a >= operand;
    case 0x40:
      return (a & operand) !== 0;
    default:
      throw new Error(`no such jump: ${code}`);
  }
}

function step(state: State, { code, k }: Instruction, packet: Uint8Array): void {
  const { x, a } = state;
  const remembered = (): number => {
    const value = state.memory[k];
    if (value === undefined) throw new Error(`memory ${k} is read before it is written`);
    return value;
  };
  const load = (at: number, size: number): number => {
    if (at < 0 || at + size > packet.length) throw new BeyondPacket();
    let value = 0;
    for (const octet of packet.subarray(at, at + size)) value = value * 256 + octet;
    return value;
  };
  const steps: Readonly<Record<number, () => void>> = {
    0: () => Object.assign(state, { a: k }),
    1: () => Object.assign(state, { x: k }),
    32: () => Object.assign(state, { a: load(k, 4) }),
    40: () => Object.assign(state, { a: load(k, 2) }),
    48: () => Object.assign(state, { a: load(k, 1) }),
    64: () => Object.assign(state, { a: load(x + k, 4) }),
    72: () => Object.assign(state, { a: load(x + k, 2) }),
    80: () => Object.assign(state, { a: load(x + k, 1) }),
    96: () => Object.assign(state, { a: remembered() }),
    97: () => Object.assign(state, { x: remembered() }),
    177: () => Object.assign(state, { x: 4 * (load(k, 1) & 15) }),
    2: () => state.memory.splice(k, 1, a),
    3: () => state.memory.splice(k, 1, x),
    4: () => Object.assign(state, { a: (a + k) >>> 0 }),
    12: () => Object.assign(state, { a: (a + x) >>> 0 }),
    20: () => Object.assign(state, { a: (a - k) >>> 0 }),
    28: () => Object.assign(state, { a: (a - x) >>> 0 }),
    84: () => Object.assign(state, { a: (a & k) >>> 0 }),
    116: () => Object.assign(state, { a: a >>> k }),
    7: () => Object.assign(state, { x: a }),
    135: () => Object.assign(state, { a: x }),
  };
  const run = steps[code];
  if (run === undefined) throw new Error(`no such instruction: ${code}`);
  run();
}
