// The real program on a free port, with its data in a folder that goes away with it.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TARGET = process.env.CARGO_TARGET_DIR ?? join(import.meta.dirname, '../target');

/** The program: the one named, or the debug build. */
export const PROGRAM = process.env.HTTPSMS ?? join(TARGET, 'debug/httpsms');

export interface Account {
  email: string;
  password: string;
  key: string;
}

export class Server {
  url = '';
  /** What it has written. */
  log = '';
  readonly data: string;
  readonly #flags: string[];
  #process: ChildProcess | undefined;
  #phones: ChildProcess[] = [];

  private constructor(flags: string[]) {
    this.data = mkdtempSync(join(tmpdir(), 'httpsms-e2e-'));
    this.#flags = flags;
  }

  static async start(...flags: string[]): Promise<Server> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is missing: cargo build -p httpsms`);
    const server = new Server(flags);
    await server.#launch('127.0.0.1:0');
    return server;
  }

  /** Starts it again at the same address, after `stop`. */
  async again(): Promise<void> {
    await this.#launch(new URL(this.url).host);
  }

  async #launch(listen: string): Promise<void> {
    const args = ['serve', '--listen', listen, '--data-dir', this.data, ...this.#flags];
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    this.url = await new Promise<string>((ready, failed) => {
      let said = '';
      const hear = (piece: Buffer) => {
        said += piece.toString();
        this.log += piece.toString();
        const found = /listening on (http:\/\/[^\s"]+)/.exec(said);
        if (found?.[1]) ready(found[1]);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('exit', () => failed(new Error(`the server ended:\n${said}`)));
    });
  }

  /** Ends the server as an operator would, and waits for it. */
  async stop(): Promise<void> {
    await ended(this.#process);
    this.#process = undefined;
  }

  /** Ends everything and takes the data away. */
  async remove(): Promise<void> {
    await Promise.all(this.#phones.map(ended));
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** An account of its own for each test; `--admin` for one that looks after the others. */
  async account(...flags: string[]): Promise<Account> {
    const name = randomBytes(6).toString('hex');
    const account = {
      email: `${name}@example.com`,
      password: `pass-${name}`,
      key: `uk_${randomBytes(24).toString('hex')}`,
    };
    const { email, password, key } = account;
    const args = ['--email', email, '--password', password, '--api-key', key];
    await run(PROGRAM, ['user', 'add', '--data-dir', this.data, ...args, ...flags]);
    return account;
  }

  /** Calls the API with an account's key; the data of the envelope. */
  async call<T>(account: Account, method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { 'x-api-key': account.key, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? (JSON.parse(text) as { data: T }).data : undefined) as T;
  }

  /** A simulated phone; ready when it listens. */
  async phone(account: Account, number: string, ...flags: string[]): Promise<void> {
    const key = await this.call<{ api_key: string }>(account, 'POST', '/v1/phone-api-keys', {
      name: number,
    });
    const args = ['phone', 'simulate', '--server', this.url, '--api-key', key.api_key];
    const speed = flags.includes('--latency') ? [] : ['--latency', '20ms..60ms'];
    const child = spawn(PROGRAM, [...args, '--number', number, ...speed, ...flags], {
      stdio: 'ignore',
    });
    this.#phones.push(child);
    for (let tries = 0; ; tries++) {
      const phones = await this.call<{ phone_number: string }[]>(account, 'GET', '/v1/phones');
      if (phones.some((phone) => phone.phone_number === number)) return;
      if (tries > 200) throw new Error(`the phone ${number} does not come`);
      await new Promise((later) => setTimeout(later, 50));
    }
  }

  /** A phone that only is there, without a program behind it. */
  async silentPhone(account: Account, number: string): Promise<void> {
    await this.call(account, 'PUT', '/v1/phones', {
      phone_number: number,
      sim: 'SIM1',
    });
  }

  /** What a phone would hand in. */
  async incoming(
    account: Account,
    from: string,
    to: string,
    content: string,
    timestamp = new Date().toISOString(),
  ): Promise<void> {
    const body = {
      from,
      to,
      content,
      encrypted: false,
      sim: 'SIM1',
      timestamp,
    };
    await this.call(account, 'POST', '/v1/messages/receive', body);
  }

  /**
   * A long history, quickly: `count` messages a minute apart, the last one a minute ago. `from` says who
   * wrote the n-th; its text is `number n`.
   */
  async history(
    account: Account,
    to: string,
    count: number,
    from: (at: number) => string,
  ): Promise<void> {
    const end = Date.now();
    let next = 0;
    const work = async () => {
      for (let at = next++; at < count; at = next++) {
        const time = new Date(end - (count - at) * 60_000).toISOString();
        await this.incoming(account, from(at), to, `number ${at}`, time);
      }
    };
    await Promise.all(Array.from({ length: 32 }, work));
  }
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await gone;
}
