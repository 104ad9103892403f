/** Why a fault, or a part of it, cannot become a rule. */

export interface Refusal {
  /** Id of the fault. */
  readonly fault: string;
  /** The part of it in the words of the fault language. */
  readonly part: string;
  /** The reason, and as a rule which way it goes instead. */
  readonly why: string;
}

/** Refuses a part of the fault that is being compiled. */
export type Refuse = (part: string, why: string) => void;

/** The way that is open to every fault. */
export const BY_THE_WIRE = 'it goes by the wire (netns lab, or by NFQUEUE: lastack attach)';

/** One sentence for a person. */
export const refusalText = ({ fault, part, why }: Refusal): string =>
  fault === part ? `"${fault}": ${why}` : `"${fault}": ${part}: ${why}`;

/** Each once: what is wrong for IPv4 is wrong for IPv6. */
export const unique = (refusals: readonly Refusal[]): readonly Refusal[] => [
  ...new Map(refusals.map((each) => [JSON.stringify(each), each])).values(),
];
