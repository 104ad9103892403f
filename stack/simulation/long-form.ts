/** Tests of the simulation are short as a rule; `npm run simulate` plays what takes minutes. */
export const isLong = process.env.LASTACK_SIMULATE === 'long';
