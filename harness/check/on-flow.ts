/** Most checks speak of one connection of a trace, the first unless told otherwise. */
export interface OnFlow {
  /** The number of the flow on the wire, from 1. */
  readonly flow?: number;
}

/** A check's id for its flow: `fin-repeated`, `fin-repeated-flow-2`. */
export const idOn = (id: string, flow: number): string => (flow === 1 ? id : `${id}-flow-${flow}`);
