import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../paths.js';
import { createKind, type Kind, writeDocument } from './kinds.js';

/** A document of one kind on disk. */
export interface DocumentFiles {
  readonly kind: string;
  readonly title: string;
  readonly typeName: string;
  /** As asked for: 1, 10, 100. */
  readonly megabytes: number;
  readonly gml: string;
  /** The FeatureCollection every reader must come to. */
  readonly geojson: string;
  readonly schema: string;
  readonly features: number;
  /** Of the GML. */
  readonly bytes: number;
}

const FLUSH = 1 << 20;

/** SHA-256 over a document and the features it stands for: changes when, and only when, the data does. */
export function toFingerprint(name: string, bytes: number): string {
  const kind = createKind(name);
  const hash = createHash('sha256').update(kind.head).update(kind.tail).update(kind.schema);
  for (const { gml, geojson } of writeDocument(kind, bytes)) hash.update(gml).update(geojson);
  return hash.digest('hex');
}

/** The document on disk; written when it is not there, or is another than would be written now. */
export function ensureDocument(name: string, megabytes: number): DocumentFiles {
  const folder = join(paths.cache, 'data');
  const base = join(folder, `${name}-${megabytes}`);
  const fingerprint = `${toFingerprint(name, 200_000)} ${megabytes}`;
  const note = `${base}.json`;
  if (existsSync(note)) {
    const known = JSON.parse(readFileSync(note, 'utf8')) as { fingerprint: string; document: DocumentFiles };
    if (known.fingerprint === fingerprint) return known.document;
  }
  mkdirSync(folder, { recursive: true });
  const document = write(createKind(name), megabytes, base);
  writeFileSync(note, JSON.stringify({ fingerprint, document }));
  return document;
}

function write(kind: Kind, megabytes: number, base: string): DocumentFiles {
  const files = { gml: `${base}.gml`, geojson: `${base}.geojson`, schema: `${base}.xsd` };
  writeFileSync(files.schema, kind.schema);
  const gml = createFile(files.gml);
  const geojson = createFile(files.geojson);
  let features = 0;
  gml.put(kind.head);
  geojson.put('{"type":"FeatureCollection","features":[');
  for (const sample of writeDocument(kind, megabytes * 1e6)) {
    gml.put(sample.gml);
    geojson.put(features++ === 0 ? sample.geojson : `,${sample.geojson}`);
  }
  gml.put(kind.tail);
  geojson.put(']}');
  geojson.close();
  const { name, title, typeName } = kind;
  return { kind: name, title, typeName, megabytes, ...files, features, bytes: gml.close() };
}

/** A file written in large pieces; `close` gives its size in bytes. */
function createFile(path: string) {
  const file = openSync(path, 'w');
  let pending = '';
  let bytes = 0;
  const flush = () => {
    bytes += writeSync(file, pending);
    pending = '';
  };
  return {
    put(text: string) {
      pending += text;
      if (pending.length >= FLUSH) flush();
    },
    close(): number {
      flush();
      closeSync(file);
      return bytes;
    },
  };
}
