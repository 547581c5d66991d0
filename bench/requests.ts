// Small answers under load: requests/s, p99 and processor time of the service, asked anew and from the cache, beside what
// API Carto does and a plain Node pipe, over the same upstream in the same run.
//   npm run build && npx tsx bench/requests.ts [SECONDS] [CONNECTIONS] [SECONDS TO WARM UP]
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import axios from 'axios';
import express from 'express';

const HOST = '127.0.0.1';
const SIZES = [1, 10, 100, 1000];
/** Larger than any that is measured: an upstream that has given it once is known not to cap them. */
const LARGEST = 1500;
const answers = [...SIZES, LARGEST];
/** The west edge says how many features are found, and every k makes a question of its own. */
const toQuestion = (size: number, k: number) =>
  `source=t:parcelle&_count=false&_limit=5000&bbox=0.990${answers.indexOf(size)},47.99,1.01,${(48.01 + k * 1e-7).toFixed(7)}`;
const toSize = (question: string) => answers[Number(/0\.990(\d)/.exec(question)?.[1] ?? 0)] ?? 1;

const tell = (port: number) => void process.stdout.write(`port ${port}\n`);

function ring(k: number, join: (lon: number, lat: number) => string, separator: string): string {
  const [lon, lat] = [1 + (k % 40) / 5000, 48 + (k % 50) / 6000];
  const corners = Array.from({ length: 11 }, (_, i) => {
    const angle = (i % 10) * 0.628;
    return join(+(lon + Math.cos(angle) / 5000).toFixed(7), +(lat + Math.sin(angle) / 5000).toFixed(7));
  });
  return corners.join(separator);
}

const attributes = (k: number) => ({
  idu: `28085000AA${String(k).padStart(4, '0')}`,
  code_dep: '28',
  code_com: '085',
  nom_com: 'Chartres',
  section: 'AA',
  numero: String(k),
  contenance: 100 + k,
});

function toGml(k: number): string {
  const values = Object.entries(attributes(k)).map(([name, value]) => `<t:${name}>${value}</t:${name}>`);
  const positions = ring(k, (lon, lat) => `${lat} ${lon}`, ' ');
  return `<t:parcelle gml:id="parcelle.${k}">${values.join('')}<t:geom><gml:MultiSurface srsName="urn:x-ogc:def:crs:EPSG:4326" srsDimension="2"><gml:surfaceMember><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>${positions}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></gml:surfaceMember></gml:MultiSurface></t:geom></t:parcelle>`;
}

function toJson(k: number): string {
  const positions = ring(k, (lon, lat) => `[${lon},${lat}]`, ',');
  return `{"type":"Feature","id":"parcelle.${k}","geometry":{"type":"MultiPolygon","coordinates":[[[${positions}]]]},"geometry_name":"geom","properties":${JSON.stringify(attributes(k))}}`;
}

const CAPABILITIES = `<wfs:WFS_Capabilities version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs" xmlns:ows="http://www.opengis.net/ows"><wfs:FeatureTypeList><wfs:FeatureType><wfs:Name>t:parcelle</wfs:Name><wfs:DefaultSRS>urn:x-ogc:def:crs:EPSG:4326</wfs:DefaultSRS><ows:WGS84BoundingBox><ows:LowerCorner>0 47</ows:LowerCorner><ows:UpperCorner>3 50</ows:UpperCorner></ows:WGS84BoundingBox></wfs:FeatureType></wfs:FeatureTypeList></wfs:WFS_Capabilities>`;
const element = (name: string, type: string) => `<xsd:element name="${name}" type="${type}" minOccurs="0"/>`;
const SCHEMA = `<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:gml="http://www.opengis.net/gml" xmlns:t="http://t" targetNamespace="http://t"><xsd:complexType name="parcelleType"><xsd:complexContent><xsd:extension base="gml:AbstractFeatureType"><xsd:sequence>${Object.entries(
  attributes(0),
)
  .map(([name, value]) => element(name, typeof value === 'number' ? 'xsd:int' : 'xsd:string'))
  .join(
    '',
  )}${element('geom', 'gml:MultiSurfacePropertyType')}</xsd:sequence></xsd:extension></xsd:complexContent></xsd:complexType><xsd:element name="parcelle" type="t:parcelleType" substitutionGroup="gml:_Feature"/></xsd:schema>`;

const numbers = (count: number) => Array.from({ length: count }, (_, k) => k);

/** A WFS for the service, and the same features as GeoJSON for the others. */
function runUpstream(): void {
  const gml = new Map<number, Buffer>();
  const json = new Map<number, Buffer>();
  for (const size of [...answers, 2]) {
    const members = `<gml:featureMembers>${numbers(size).map(toGml).join('')}</gml:featureMembers>`;
    gml.set(
      size,
      Buffer.from(
        `<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:t="http://t">${members}</wfs:FeatureCollection>`,
      ),
    );
    json.set(
      size,
      Buffer.from(`{"type":"FeatureCollection","features":[${numbers(size).map(toJson).join(',')}]}`),
    );
  }
  const server = createServer(async (request, response) => {
    const url = String(request.url);
    if (url.startsWith('/json')) {
      const size = toSize(url);
      return response.setHeader('Content-Type', 'application/json').end(json.get(size));
    }
    let body = '';
    for await (const part of request) body += part;
    response.setHeader('Content-Type', 'text/xml; subtype=gml/3.1.1');
    if (/GetCapabilities/i.test(url)) return response.end(CAPABILITIES);
    if (/DescribeFeatureType/i.test(url)) return response.end(SCHEMA);
    // what the service learns of the layer with: its first features, and whether a filter finds one of them
    const isLearning = body.includes('maxFeatures="10"');
    return response.end(gml.get(isLearning ? (body.includes('<ogc:Filter>') ? 1 : 2) : toSize(body)));
  });
  server.listen(0, HOST, () => tell((server.address() as AddressInfo).port));
}

const agent = new Agent({ keepAlive: true });

/** API Carto's own code path: JSON parsed by axios, written again by Express, nothing kept. */
function runCarto(upstream: string): void {
  const app = express().get('/search', async (request, response) => {
    const { data } = await axios.get(`${upstream}/json?${request.url.split('?')[1]}`, {
      httpAgent: agent,
    });
    response.json(data);
  });
  const server = app.listen(0, HOST, () => tell((server.address() as AddressInfo).port));
}

function runPipe(upstream: string): void {
  const server = createServer((request, response) => {
    get(`${upstream}/json?${String(request.url).split('?')[1]}`, { agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { 'Content-Type': answer.headers['content-type'] });
      answer.pipe(response);
    });
  });
  server.listen(0, HOST, () => tell((server.address() as AddressInfo).port));
}

interface Started {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
}

async function start(args: readonly string[], env: Record<string, string> = {}): Promise<Started> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOST, PORT: '0', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      if (text.length < 10_000) text += chunk;
      const found = /^port (\d+)$/m.exec(text) ?? /"url":"http:[^"]*:(\d+)"[^\n]*"listening"/.exec(text);
      if (found) resolve(Number(found[1]));
    });
    child.once('exit', () => reject(new Error(`did not start: ${text}`)));
  });
  return { url: `http://${HOST}:${port}`, port, child };
}

const self = (role: string, upstream = '') =>
  start(['--import', 'tsx', join(import.meta.dirname, 'requests.ts'), role, upstream]);

/** Where an HTTP/1.1 answer at the beginning of the bytes ends; undefined: not yet. */
function toEnd(bytes: Buffer): number | undefined {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const text = bytes.toString('latin1', 0, head).toLowerCase();
  if (!text.startsWith('http/1.1 200')) throw new Error(bytes.toString('utf8', 0, 1000));
  const length = /\r\ncontent-length: *(\d+)/.exec(text)?.[1];
  if (length !== undefined) return head + 4 + Number(length);
  const isWhole = bytes.subarray(-7).toString('latin1') === '\r\n0\r\n\r\n';
  return isWhole ? bytes.length : undefined;
}

/** One connection that asks, reads the whole answer, and asks again. */
async function ask(port: number, toPath: () => string, until: number, latencies: number[]): Promise<void> {
  const socket = connect(port, HOST);
  await once(socket, 'connect');
  socket.setNoDelay(true);
  let [parts, received, end]: [Buffer[], number, number | undefined] = [[], 0, undefined];
  let begun = performance.now();
  const send = () => {
    begun = performance.now();
    socket.write(`GET ${toPath()} HTTP/1.1\r\nHost: ${HOST}\r\nAccept: */*\r\n\r\n`);
  };
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      received += chunk.length;
      try {
        // a length is read once; without one, only the tail is looked at
        if (end === undefined) end = toEnd(parts.length === 1 ? chunk : Buffer.concat(parts));
      } catch (error) {
        return reject(error);
      }
      if (end === undefined || received < end) return;
      [parts, received, end] = [[], 0, undefined];
      latencies.push(performance.now() - begun);
      if (performance.now() < until) send();
      else socket.destroy();
    });
    send();
  });
}

/** Seconds of processor time that a process has used (proc_pid_stat(5): utime, stime in ticks of 10 ms). */
function cpuSeconds({ child }: Started): number {
  const [, fields = ''] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ');
  const [utime, stime] = fields.split(' ').slice(11, 13).map(Number);
  return ((utime ?? 0) + (stime ?? 0)) / 100;
}

interface Figures {
  readonly perSecond: number;
  readonly p99: number;
  /** Milliseconds of the server's processor time a request. */
  readonly cpu: number;
}

async function load(server: Started, toPath: () => string, seconds: number, connections: number) {
  const latencies: number[] = [];
  const [begun, cpu] = [performance.now(), cpuSeconds(server)];
  const until = begun + seconds * 1000;
  await Promise.all(numbers(connections).map(() => ask(server.port, toPath, until, latencies)));
  const sorted = latencies.sort((a, b) => a - b);
  return {
    perSecond: latencies.length / ((performance.now() - begun) / 1000),
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    cpu: ((cpuSeconds(server) - cpu) / latencies.length) * 1000,
  } satisfies Figures;
}

async function run(seconds: number, connections: number, warmSeconds: number): Promise<void> {
  const upstream = await self('upstream');
  const service = await start(
    ['--max-semi-space-size=1', '--no-allocation-site-pretenuring', 'dist/main.js'],
    {
      WFS_URL: `${upstream.url}/wfs`,
      WFS_RATE_LIMIT: '10000', // the defaults are there to spare an upstream
      WFS_MAX_CONCURRENCY: '1000',
    },
  );
  const [carto, pipe] = [await self('carto', upstream.url), await self('pipe', upstream.url)];
  let k = 0;
  const search = '/api/wfs-geoportail/search?';
  const anew = (path: string) => (size: number) => () => path + toQuestion(size, ++k);
  const contenders = {
    'API Carto': { server: carto, toPath: anew('/search?') },
    pipe: { server: pipe, toPath: anew('/?') },
    'asked anew': { server: service, toPath: anew(search) },
    cached: { server: service, toPath: (size: number) => () => search + toQuestion(size, 0) },
  };
  console.log('features | server | requests/s | x API Carto | p99 ms | CPU ms a request | CPU x');
  await load(service, () => search + toQuestion(LARGEST, 0), 1, 1);
  for (const { server, toPath } of Object.values(contenders)) {
    for (const size of SIZES) await load(server, toPath(size), warmSeconds, connections);
  }
  for (const size of SIZES) {
    let first: Figures | undefined;
    for (const [name, { server, toPath }] of Object.entries(contenders)) {
      const figures = await load(server, toPath(size), seconds, connections);
      first ??= figures;
      const { perSecond, p99, cpu } = figures;
      const ratio = (perSecond / first.perSecond).toFixed(1);
      console.log(
        `${size} | ${name} | ${perSecond.toFixed(0)} | ${ratio} | ${p99.toFixed(1)} | ${cpu.toFixed(3)} | ${(first.cpu / cpu).toFixed(1)}`,
      );
    }
  }
  for (const { child } of [service, carto, pipe, upstream]) child.kill('SIGKILL');
}

const [first = '', second = '', third = ''] = process.argv.slice(2);
if (first === 'upstream') runUpstream();
else if (first === 'carto') runCarto(second);
else if (first === 'pipe') runPipe(second);
else await run(Number(first || 5), Number(second || 16), Number(third || 3));
