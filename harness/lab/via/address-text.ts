/** An address as Go's programs read it. */
import type { Address } from '../../endpoint/index.js';

export const addressText = ({ ip, port }: Address): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
