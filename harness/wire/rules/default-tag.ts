/** What the names of all rules begin with. */
export const DEFAULT_TAG = 'lastack';
