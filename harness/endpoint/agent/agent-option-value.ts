/** The values of socket options as the protocol carries them: numbers, text, octets. Pure. */
import { encodeOption, type SocketOption } from '../socket-options.js';
import type { OptionValue } from './agent-requests.js';

const TWO_TO_64 = 2 ** 64;

/** The kind that an option is asked for in. */
export function kindOf({ form }: SocketOption): OptionValue['kind'] {
  if (form === 'text') return 'text';
  return form === 'hex' ? 'octets' : 'number';
}

/** The value fits the option: `encodeOption` has been asked. */
export function valueToSend(option: SocketOption, value: number | string): OptionValue {
  if (typeof value === 'number') return { kind: 'number', number: value };
  if (option.form === 'text') return { kind: 'text', text: value };
  return { kind: 'octets', octets: encodeOption(option, value) };
}

export function valueReceived({ name, form }: SocketOption, value: OptionValue): number | string {
  switch (value.kind) {
    case 'number':
      return form === 'u64' && value.number < 0 ? value.number + TWO_TO_64 : value.number;
    case 'text':
      return value.text;
    case 'octets':
      if (form !== 'hex') throw new Error(`the agent gives octets for ${name}, which is none of that kind`);
      return Buffer.from(value.octets).toString('hex');
  }
}
