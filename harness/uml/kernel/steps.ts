/** How far a build is, for whoever shows it. */
export interface Step {
  /** What is being done, as in "… the source". */
  readonly doing: string;
  /** Of this step, 0 to 100; absent where it cannot be told. */
  readonly percent?: number;
}

export type OnStep = (step: Step) => void;
