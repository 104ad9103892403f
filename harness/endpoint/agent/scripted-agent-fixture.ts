/** For this folder's tests: an agent by hand, which sees each message and answers when and what a test wants. */
import type { AgentChannel } from './agent-channel.js';
import { type AgentMessage, encodeMessage, MessageDecoder, REPLY_BIT, Status } from './agent-message.js';
import { REQUESTS, type ReplyBody, type RequestBody, type RequestName } from './agent-requests.js';
import { decodeField, encodeField, type Field } from './octet-fields.js';

export class ScriptedAgent implements AgentChannel {
  /** The messages that came, one array for each time that octets were handed over. */
  readonly sent: AgentMessage[][] = [];
  isClosed = false;
  receive: (octets: Uint8Array) => void = () => {};
  end: (reason: string) => void = () => {};
  readonly #decoder = new MessageDecoder();

  send(octets: Uint8Array): void {
    this.sent.push([...this.#decoder.take(octets)]);
  }

  onOctets(receive: (octets: Uint8Array) => void): void {
    this.receive = receive;
  }

  onEnd(ended: (reason: string) => void): void {
    this.end = ended;
  }

  close(): void {
    this.isClosed = true;
    this.end('the channel was closed');
  }

  /** The names of the requests that came. */
  get names(): readonly string[] {
    return this.sent.flat().map(({ type }) => nameOf(type));
  }

  /** The last request of a name. */
  last<N extends RequestName>(name: N): AgentMessage & { readonly body: RequestBody<N> } {
    const message = this.sent.flat().findLast(({ type }) => type === REQUESTS[name].type);
    if (message === undefined) throw new Error(`no ${name} has come, but ${this.names.join(', ')}`);
    const request = REQUESTS[name].request as Field<RequestBody<N>>;
    return { ...message, body: decodeField(request, message.payload) };
  }

  /** Answers the last request of a name with success. */
  answer<N extends RequestName>(name: N, body: ReplyBody<N>, handle?: number): void {
    const payload = encodeField(REQUESTS[name].reply as Field<ReplyBody<N>>, body);
    this.reply(this.last(name), { payload, ...(handle === undefined ? {} : { handle }) });
  }

  reply(
    to: AgentMessage | undefined,
    reply: { status?: number; handle?: number; payload?: Uint8Array } = {},
  ): void {
    if (to === undefined) throw new Error('there is no request to reply to');
    const { status = Status.ok, handle = to.handle, payload = new Uint8Array() } = reply;
    this.receive(encodeMessage({ type: to.type | REPLY_BIT, status, id: to.id, handle, payload }));
  }
}

const nameOf = (number: number): string =>
  Object.entries(REQUESTS).find(([, { type }]) => type === number)?.[0] ?? `type ${number}`;

/** Everything that is to happen in this turn has. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
