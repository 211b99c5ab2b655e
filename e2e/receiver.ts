// A receiver of webhooks that answers as a test wants it to, and keeps what it got.
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Got {
  /** Method and path. */
  line: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export class Receiver {
  /** The status of its answers. */
  status = 200;
  readonly got: Got[] = [];
  url = '';
  #server: Server | undefined;

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (piece: Buffer) => (body += piece.toString()));
      request.on('end', () => {
        const line = `${request.method} ${request.url}`;
        receiver.got.push({ line, headers: request.headers, body });
        const headers = { 'content-type': 'application/json', 'x-receiver': 'e2e' };
        response.writeHead(receiver.status, headers);
        response.end(JSON.stringify({ taken: receiver.status === 200 }));
      });
    });
    receiver.#server = server;
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    return receiver;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
  }
}
