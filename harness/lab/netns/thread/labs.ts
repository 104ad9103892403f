/** The labs whose wires run on the wire's thread, by number and by link. */
import { SIDES, type Side } from '../../../fault/index.js';
import type { LabWire } from './lab-wire.js';
import type { SideOptions } from './protocol.js';

export interface LinkEnd {
  readonly wire: LabWire;
  readonly side: Side;
}

export class Labs {
  readonly #byNumber = new Map<number, LabWire>();
  readonly #byLink = new Map<number, LinkEnd>();

  get(lab: number): LabWire {
    const wire = this.#byNumber.get(lab);
    if (wire === undefined) throw new Error(`lab ${lab} is closed`);
    return wire;
  }

  find(lab: number): LabWire | undefined {
    return this.#byNumber.get(lab);
  }

  /** Undefined for what is left on a link of a lab that was closed. */
  byLink(ifindex: number): LinkEnd | undefined {
    return this.#byLink.get(ifindex);
  }

  add(wire: LabWire): void {
    this.#byNumber.set(wire.lab, wire);
    for (const side of SIDES) {
      const options: SideOptions = wire.open.sides[side];
      if (options.kind === 'link') this.#byLink.set(options.ifindex, { wire, side });
    }
  }

  close(lab: number): void {
    const wire = this.get(lab);
    this.#byNumber.delete(lab);
    for (const options of Object.values(wire.open.sides))
      if (options.kind === 'link') this.#byLink.delete(options.ifindex);
    wire[Symbol.dispose]();
  }
}
