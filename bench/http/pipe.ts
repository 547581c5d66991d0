// The least a service in front of another can do. PORT=... UPSTREAM=... node pipe.js
import { Agent, createServer, get } from 'node:http';
import { pipeline } from 'node:stream';

const agent = new Agent({ keepAlive: true });
const { UPSTREAM = '', PORT } = process.env;

createServer((request, response) => {
  get(`${UPSTREAM}${request.url}`, { agent }, (upstream) => {
    response.writeHead(upstream.statusCode ?? 502, { 'Content-Type': upstream.headers['content-type'] });
    pipeline(upstream, response, () => {});
  }).on('error', () => response.destroy());
}).listen(Number(PORT), '127.0.0.1');
