/** A Toxiproxy server as its API shows it: proxies, their toxics, and what it refuses in one sentence each. */
import { z } from 'zod';
import { type Answer, type ApiOptions, HttpApi } from './http-api.js';
import { nameOf, type StreamToxic, type Toxic, toServer } from './toxic.js';
import { asToxic, toxicText } from './toxic-line.js';
import { ToxiproxyError } from './toxiproxy-error.js';

const proxySchema = z.object({
  name: z.string(),
  listen: z.string(),
  upstream: z.string(),
  enabled: z.boolean(),
  toxics: z.array(z.object({ name: z.string(), type: z.string(), stream: z.string() })),
});

/** A proxy as the server describes it. */
export type ProxyState = z.infer<typeof proxySchema>;

export interface ProxyOptions {
  readonly name: string;
  /** `address:port` that clients connect to; port 0 picks a free one. */
  readonly listen: string;
  /** `address:port` that it connects to for them. */
  readonly upstream: string;
  readonly enabled?: boolean;
}

export class ToxiproxyClient {
  readonly #api: HttpApi;

  constructor(options: ApiOptions) {
    this.#api = new HttpApi(options);
  }

  /** Such as `2.12.0`; what a build without a version calls itself is `git`. */
  async version(): Promise<string> {
    const { body } = expectOk(await this.#api.ask('GET', '/version'), 'its version');
    const said = z.object({ version: z.string() }).safeParse(body);
    // Before 2.5 the answer was bare text.
    return said.success ? said.data.version : 'unknown';
  }

  async addProxy({ name, listen, upstream, enabled = true }: ProxyOptions): Promise<ToxiproxyProxy> {
    const answer = await this.#api.ask('POST', '/proxies', { name, listen, upstream, enabled });
    if (answer.status === 409)
      throw new ToxiproxyError(
        'proxy-exists',
        `Toxiproxy at ${this.#api.url} has a proxy "${name}" already: choose another name, or remove that one`,
      );
    if (/address already in use/.test(answer.problem))
      throw new ToxiproxyError(
        'port-taken',
        `the proxy "${name}" cannot listen at ${listen}, somebody else does: give another port, or 0 for a free one`,
      );
    return new ToxiproxyProxy(this.#api, proxyState(expectOk(answer, `the proxy "${name}"`)));
  }

  async proxy(name: string): Promise<ToxiproxyProxy> {
    const answer = await this.#api.ask('GET', proxyPath(name));
    if (answer.status === 404) throw await this.#noProxy(name);
    return new ToxiproxyProxy(this.#api, proxyState(expectOk(answer, `the proxy "${name}"`)));
  }

  async proxies(): Promise<readonly ProxyState[]> {
    const { body } = expectOk(await this.#api.ask('GET', '/proxies'), 'its proxies');
    return Object.values(z.record(z.string(), proxySchema).parse(body));
  }

  /** Switches all proxies on and takes all toxics away. */
  async reset(): Promise<void> {
    expectOk(await this.#api.ask('POST', '/reset'), 'the reset');
  }

  async #noProxy(name: string): Promise<ToxiproxyError> {
    const names = (await this.proxies()).map((each) => each.name);
    const there = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    return new ToxiproxyError('no-proxy', `Toxiproxy at ${this.#api.url} has no proxy "${name}": ${there}`);
  }
}

export class ToxiproxyProxy {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly #api: HttpApi;

  constructor(api: HttpApi, { name, listen, upstream }: ProxyState) {
    this.#api = api;
    this.name = name;
    this.listen = listen;
    this.upstream = upstream;
  }

  async state(): Promise<ProxyState> {
    const answer = await this.#api.ask('GET', proxyPath(this.name));
    return proxyState(expectOk(answer, `the proxy "${this.name}"`));
  }

  /** Adds a toxic, which works on the connections that there are, too; its name, to remove it by. `down` switches the proxy off. */
  async add(toxic: Toxic | string): Promise<string> {
    const data = asToxic(toxic);
    if (data.type === 'down') {
      await this.disable();
      return 'down';
    }
    const answer = await this.#api.ask('POST', `${proxyPath(this.name)}/toxics`, toServer(data));
    if (answer.status >= 300) throw await this.#refused(data, answer);
    return nameOf(data);
  }

  async #refused(toxic: StreamToxic, { status, problem }: Answer): Promise<ToxiproxyError> {
    if (status === 409)
      return new ToxiproxyError(
        'toxic-exists',
        `the proxy "${this.name}" has a toxic "${nameOf(toxic)}" already: remove it first, or give this one a name`,
      );
    if (/invalid toxic type/.test(problem)) {
      const version = await new ToxiproxyClient({ ...this.#api.options }).version();
      return new ToxiproxyError(
        'unknown-toxic',
        `Toxiproxy ${version} at ${this.#api.url} has no toxic ${toxic.type}: run a version that has it, or lose segments on a leg (faults)`,
      );
    }
    return new ToxiproxyError(
      'refused',
      `the proxy "${this.name}" does not take "${toxicText(toxic)}": ${problem}`,
    );
  }

  /** Takes a toxic away by its name, or switches the proxy on again for `down`. */
  async remove(name: string): Promise<void> {
    if (name === 'down') return this.enable();
    const answer = await this.#api.ask(
      'DELETE',
      `${proxyPath(this.name)}/toxics/${encodeURIComponent(name)}`,
    );
    if (answer.status !== 404) {
      expectOk(answer, `removing the toxic "${name}"`);
      return;
    }
    const names = (await this.state()).toxics.map((each) => each.name);
    throw new ToxiproxyError(
      'no-toxic',
      `the proxy "${this.name}" has no toxic "${name}": it has ${names.join(', ') || 'none'}`,
    );
  }

  async enable(): Promise<void> {
    await this.#switch(true);
  }

  /** Its port is closed, and so are its connections. */
  async disable(): Promise<void> {
    await this.#switch(false);
  }

  async #switch(enabled: boolean): Promise<void> {
    const { listen, upstream } = this;
    // PATCH would do with one field, but servers before 2.6 have only POST; with these three, it takes both.
    const answer = await this.#api.ask('POST', proxyPath(this.name), { listen, upstream, enabled });
    expectOk(answer, `switching the proxy "${this.name}" ${enabled ? 'on' : 'off'}`);
  }

  /** Away with the proxy itself; its connections are closed. */
  async delete(): Promise<void> {
    expectOk(await this.#api.ask('DELETE', proxyPath(this.name)), `removing the proxy "${this.name}"`);
  }
}

const proxyPath = (name: string): string => `/proxies/${encodeURIComponent(name)}`;

const proxyState = ({ body }: Answer): ProxyState => proxySchema.parse(body);

function expectOk(answer: Answer, what: string): Answer {
  if (answer.status < 300) return answer;
  throw new ToxiproxyError('refused', `Toxiproxy refused ${what}: ${answer.problem}`);
}
