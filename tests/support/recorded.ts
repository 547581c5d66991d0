import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync } from 'node:zlib';

/** An answer as a real server gave it. */
export interface RecordedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A line of the table: what an answer must become. */
export interface Expected {
  readonly server: string;
  readonly answer: string;
  readonly source: string;
  readonly as: 'features' | 'hits' | 'schema' | 'capabilities';
  readonly status: number;
  readonly found: string;
  readonly first: string | undefined;
  readonly what: string | undefined;
  readonly value: string | undefined;
}

const file = (name: string) => new URL(`../fixtures/recorded/${name}`, import.meta.url);

interface Recorded {
  readonly answers: Readonly<Record<string, Readonly<Record<string, readonly [number, string, number]>>>>;
  readonly bodies: readonly string[];
}

const { answers, bodies } = JSON.parse(
  brotliDecompressSync(readFileSync(file('answers.json.br'))).toString(),
) as Recorded;

export const servers = Object.keys(answers);
export const namesOf = (server: string) => Object.keys(answers[server] ?? {});

export function readExpected(): Expected[] {
  const [, ...lines] = readFileSync(file('expected.tsv'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [server = '', answer = '', source = '', as, status, found = '', ...rest] = line.split('\t');
    const [first, what, value] = rest.map((cell) => (cell === '-' ? undefined : cell));
    return {
      server,
      answer,
      source,
      as: as as Expected['as'],
      status: Number(status),
      found,
      first,
      what,
      value,
    };
  });
}

export function toAnswer(server: string, name: string): RecordedAnswer {
  const found = answers[server]?.[name];
  if (found === undefined) throw new Error(`${server} was not asked for ${name}`);
  const [status, contentType, body] = found;
  return { status, contentType, body: bodies[body] ?? '' };
}

export interface Replay {
  readonly url: string;
  /** The answer that is given in place of the server's usual one, to the request it is an answer to. */
  play(expected: Pick<Expected, 'answer' | 'as'>): void;
  close(): Promise<void>;
}

/**
 * A server that says nothing but what the real one said: capabilities, schemas, the first features of each layer, and
 * that nothing lies where a filter or startIndex asks.
 */
export async function startReplay(server: string): Promise<Replay> {
  let played: Pick<Expected, 'answer' | 'as'> | undefined;
  const toName = (as: Expected['as'], usual: string) => (played?.as === as ? played.answer : usual);
  const toReply = (url: string, body: string): string => {
    if (/request=GetCapabilities/.test(url)) return toName('capabilities', 'getcapabilities-get');
    if (/request=DescribeFeatureType/.test(url)) return toName('schema', 'describe-all');
    if (body.includes('resultType="hits"')) return toName('hits', 'post-hits');
    const isLearning = /maxFeatures="(10|40|200|1000)"/.test(body);
    if (body.includes('startIndex="') || (isLearning && body.includes('<ogc:Filter>')))
      return 'post-startindex-beyond';
    const layer = /typeName="(?:\w+:)?(\w+)"/.exec(body)?.[1] ?? '';
    const first = layer === 'parcelle' ? 'post-maxfeatures' : `layer-${layer}`;
    return isLearning ? first : toName('features', first);
  };
  const http = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const answer = toAnswer(server, toReply(String(request.url), body));
    response.writeHead(answer.status, answer.contentType ? { 'Content-Type': answer.contentType } : {});
    response.end(answer.body);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/wfs`,
    play(expected) {
      played = expected;
    },
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}
