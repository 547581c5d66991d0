import type { IncomingHttpHeaders } from 'node:http';
import { expect } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { middleware } from 'express-openapi-validator';

// biome-ignore lint/suspicious/noExplicitAny: documents are looked into freely
type Document = any;

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly json: unknown;
}

/** Fails where the document is not OpenAPI 3.1. */
export async function checkDocument(document: Document): Promise<void> {
  const apiSpec = { ...structuredClone(document), servers: [{ url: '/' }] };
  const [first] = middleware({ apiSpec, validateApiSpec: true, validateSecurity: false });
  const req = { app: { param: () => {} } };
  await new Promise<void>((resolve, reject) => {
    first?.(req as never, {} as never, (error?: unknown) =>
      error === undefined ? resolve() : reject(error),
    );
  });
  expect(document.openapi).toMatch(/^3\.1\./);
}

/** Headers of answers that are kept, or have a place for links nowhere else. */
const optional = new Set([
  'Link',
  'OGC-NumberReturned',
  'OGC-NumberMatched',
  'Content-Disposition',
  'Content-Language',
  'ETag',
  'Age',
]);

/** A check of answers against the schema the document has for them, by path, method and status. */
export function createAnswerCheck(document: Document) {
  // As JSON Schema, the document is one schema whose parts are referred to by pointer.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  return (path: string, method: string, reply: Reply): void => {
    const type = String(reply.headers['content-type']).split(';')[0] ?? '';
    const entry = document.paths[path][method].responses[String(reply.status)];
    const pointer =
      entry?.$ref ?? `#/paths/${path.replaceAll('/', '~1')}/${method}/responses/${reply.status}`;
    const response = pointer
      .split('/')
      .slice(1)
      .reduce((at: never, name: string) => at?.[name.replaceAll('~1', '/')], document);
    expect([path, reply.status, Object.keys(response?.content ?? {})]).toEqual([
      path,
      reply.status,
      expect.arrayContaining([type]),
    ]);
    const schema = `openapi${pointer}/content/${type.replaceAll('/', '~1')}/schema`
      .replaceAll('{', '%7B')
      .replaceAll('}', '%7D');
    const validate = ajv.getSchema(schema);
    expect(validate).toBeDefined();
    validate?.(reply.json);
    expect(validate?.errors ?? []).toEqual([]);
    for (const name of Object.keys(response.headers ?? {})) {
      if (!optional.has(name)) expect(reply.headers).toHaveProperty(name.toLowerCase());
    }
  };
}
