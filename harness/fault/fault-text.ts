import type { Fault } from './fault.js';
export const faultText = (fault: Fault): string => fault.id;
