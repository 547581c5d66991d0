#!/usr/bin/env node
import { createReadStream, readFileSync } from 'node:fs';
import { stderr, stdin, stdout } from 'node:process';
import type { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { isGeographic, isNorthingFirst, readSrsName } from '../crs/index.js';
import { ServiceError } from '../errors.js';
import { type CrsReading, createGmlConverter, type FeatureType, readFeatureTypes } from '../gml/index.js';

const USAGE = `usage: gml2geojson [--axis auto|keep|swap] [--schema FILE.xsd] [FILE]

GML from FILE, or standard input, to a GeoJSON FeatureCollection on standard output. Coordinates stay in the CRS they
came in; a geometry without srsName has that of the nearest enclosing Envelope.

  --axis auto   latitude or northing first becomes longitude or easting first where the srsName's form says so, or
                (EPSG:4326, where servers differ) the writer is known: MapServer's WFS 1.1.0, FME (default)
  --axis keep   coordinates in the order they come
  --axis swap   the first two coordinates change places
  --schema      the answer of DescribeFeatureType; without it every value is a string

Features that lost their geometry are counted on standard error, by what was wrong with it.

exit: 0, 64 wrong usage, 65 the input or the schema is at fault (line and column on standard error), 66 no such file
`;

// sysexits.h
const EX_USAGE = 64;
const EX_DATAERR = 65;
const EX_NOINPUT = 66;

const HEAD_BYTES = 1 << 14;

class Exit extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

interface Arguments {
  readonly axis: 'auto' | 'keep' | 'swap';
  readonly schema: string | undefined;
  readonly file: string | undefined;
}

function readArguments(args: string[]): Arguments | 'help' {
  const { values, positionals } = parse(args);
  if (values.help === true) return 'help';
  const { axis = 'auto' } = values;
  if (axis !== 'auto' && axis !== 'keep' && axis !== 'swap') {
    throw new Exit(EX_USAGE, `--axis must be auto, keep or swap, not ${axis}\n${USAGE}`);
  }
  if (positionals.length > 1) throw new Exit(EX_USAGE, `one FILE at most\n${USAGE}`);
  return { axis, schema: values.schema, file: positionals[0] };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        axis: { type: 'string' },
        schema: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new Exit(EX_USAGE, `${(error as Error).message}\n${USAGE}`);
  }
}

/** Writers whose `EPSG:n` stands for the registry's order, by what they say in the root element; others differ. */
const OFFICIAL_ORDER: readonly ((root: string) => boolean)[] = [
  // MapServer (to 8.0), WFS 1.1.0: the schema's address says by which version it wrote; by 1.0.0 it is the other order.
  (root) => /=["']http:\/\/mapserver\.gis\.umn\.edu\/mapserver["'][^>]*[?&;]VERSION=1\.1\.0\b/is.test(root),
  // FME, GML 3.
  (root) => /=["']http:\/\/www\.safe\.com\/gml\/fme["']/.test(root),
];

function toReading(axis: Arguments['axis'], srsName: string | undefined, isOfficial: boolean): CrsReading {
  const crs = srsName === undefined ? undefined : readSrsName(srsName);
  if (crs === undefined) return { swap: axis === 'swap' };
  const isShort = isOfficial && /^EPSG:/i.test((srsName as string).trim());
  const isSwapped = crs.axisOrder === 'latLon' || (isShort && isNorthingFirst(crs.code));
  return { swap: axis === 'auto' ? isSwapped : axis === 'swap', isGeographic: isGeographic(crs.code) };
}

function readSchema(file: string): FeatureType[] {
  try {
    return readFeatureTypes(readFileSync(file, 'utf8'));
  } catch (error) {
    throw toExit(error, file);
  }
}

/** The type whose name stands first in the document: a schema may declare several. */
function toFeatureType(types: readonly FeatureType[], head: Buffer): FeatureType | undefined {
  const text = head.toString('utf8');
  const places = types.map((type) => {
    const name = type.name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const at = text.search(new RegExp(`<(?:[^\\s<>:/]+:)?${name}[\\s/>]`));
    return { type, at: at < 0 ? Number.POSITIVE_INFINITY : at };
  });
  return places.sort((one, other) => one.at - other.at)[0]?.type;
}

async function convert({ axis, schema, file }: Arguments): Promise<void> {
  const types = schema === undefined ? [] : readSchema(schema);
  const input: Readable = file === undefined ? stdin : createReadStream(file);
  let converter: ReturnType<typeof createGmlConverter> | undefined;
  const begin = (head: Buffer) => {
    const featureType = toFeatureType(types, head);
    const isOfficial = OFFICIAL_ORDER.some((isWriter) => isWriter(head.toString('latin1')));
    return createGmlConverter({
      crs: (srsName) => toReading(axis, srsName, isOfficial),
      srsNameFromEnvelope: true,
      ...(featureType === undefined ? {} : { featureType }),
    });
  };
  const write = createWriter();
  try {
    for await (const chunk of withHead(input)) {
      converter ??= begin(chunk);
      const { bytes } = converter.push(chunk);
      if (bytes.length > 0) await write.features(bytes);
    }
    converter ??= begin(Buffer.alloc(0));
    const { bytes } = converter.end();
    if (bytes.length > 0) await write.features(bytes);
  } catch (error) {
    throw toExit(error, file);
  }
  await write.end();
  for (const [fault, count] of Object.entries(converter.warnings)) {
    stderr.write(`gml2geojson: ${file ?? 'standard input'}: warning: ${fault}: ${count}\n`);
  }
}

/** The first piece is long enough to hold the root element and the name of the first feature, however the input comes. */
async function* withHead(input: Readable): AsyncGenerator<Buffer> {
  let head: Buffer[] | undefined = [];
  let length = 0;
  for await (const chunk of input) {
    if (head === undefined) {
      yield chunk as Buffer;
      continue;
    }
    head.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length < HEAD_BYTES) continue;
    yield Buffer.concat(head);
    head = undefined;
  }
  if (head !== undefined && length > 0) yield Buffer.concat(head);
}

/** The collection around the features; nothing is written before the first, and no more read while the reader is slow. */
function createWriter() {
  let isFirst = true;
  const put = async (chunk: Uint8Array | string): Promise<void> => {
    if (!stdout.write(chunk)) await new Promise((resolve) => stdout.once('drain', resolve));
  };
  const begin = async (): Promise<void> => {
    await put(isFirst ? '{"type":"FeatureCollection","features":[' : ',');
    isFirst = false;
  };
  return {
    async features(bytes: Uint8Array): Promise<void> {
      await begin();
      await put(bytes);
    },
    async end(): Promise<void> {
      if (isFirst) await begin();
      await put(']}\n');
    },
  };
}

function toExit(error: unknown, file: string | undefined): Error {
  const name = file ?? 'standard input';
  if (error instanceof ServiceError) return new Exit(EX_DATAERR, `${name}: ${error.message}\n`);
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && ['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR'].includes(code)) {
    return new Exit(EX_NOINPUT, `${name}: ${message}\n`);
  }
  return error as Error;
}

async function main(): Promise<void> {
  // A reader that has seen enough (`| head`) is no fault.
  stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 74));
  const args = readArguments(process.argv.slice(2));
  if (args === 'help') stdout.write(USAGE);
  else await convert(args);
}

main().catch((error: unknown) => {
  if (!(error instanceof Exit)) throw error;
  stderr.write(`gml2geojson: ${error.message}`);
  process.exitCode = error.code;
});
