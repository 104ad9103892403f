/** How a control block ends: "delete the TCB, enter the CLOSED state, and return". */
import { type ControlBlock, noTimers } from './control-block.js';
import { enter, type Step, type TcpError } from './step.js';

/** Without a word to the program, or after one. */
export function freed(block: ControlBlock, step: Step): void {
  block.timers = noTimers();
  block.ackOwed = 'none';
  enter(block, step, 'CLOSED');
}

/** "All outstanding RECEIVEs and SENDs should receive … responses." */
export function failed(block: ControlBlock, step: Step, error: TcpError): void {
  step.notices.push({ kind: 'failed', error });
  freed(block, step);
}
