import { type Language, type Message, toText } from '../errors.js';
import {
  type Column,
  createCollectionWriter,
  createCsvWriter,
  createFlatgeobufWriter,
  createSequenceWriter,
  type FeatureWriter,
  type Layer,
  type Link,
  type Page,
} from '../formats/index.js';
import type { Attribute, Format, PageEnd, SearchQuery, SourceDescription } from '../query/index.js';
import { type LinkContext, toLinkHeader, toLinks } from './links.js';

/** How a search is answered. */
export type SearchContext = LinkContext & { readonly format: Format; readonly language: Language };

/** Counts, links and warnings have a place behind the features; elsewhere what is known in time goes into headers. */
export const isCollection = (format: Format) => format === 'geojson' || format === 'json';

/** The columns come before the first feature: the layer has to be known. */
export const isTable = (format: Format) => format !== 'geojsonseq' && !isCollection(format);

/** Where links and counts stand of what has no place for them in itself. */
export const endFieldNames = ['Link', 'OGC-NumberReturned', 'OGC-NumberMatched'] as const;

/** A proxy has a page of memory for all headers by default (nginx: 4 kB), and answers 502 to more. */
const MAX_LINK_LENGTH = 2048;

/** All links, else `next` alone, as long as they are no longer than everybody takes; a geometry may be in each. */
function toLinkField(links: readonly Link[]): string {
  const next = links.filter(({ rel }) => rel === 'next');
  return [links, next].map(toLinkHeader).find(({ length }) => length <= MAX_LINK_LENGTH) ?? '';
}

/** Their values; without an end, `next` and the counts are not known. */
export function toEndFields(
  context: SearchContext,
  end: PageEnd | undefined,
): [name: string, value: string][] {
  const link = toLinkField(toLinks(context, end?.next));
  const values = [link, end?.numberReturned, end?.numberMatched];
  return endFieldNames.flatMap((name, i) => {
    const value = String(values[i] ?? '');
    return value === '' ? [] : [[name, value]];
  });
}

/** The writer of a format that needs to know nothing of the layer. */
export const createWriter = (format: Format): FeatureWriter =>
  format === 'geojsonseq' ? createSequenceWriter() : createCollectionWriter();

/** @param description of the layer that the query searches */
export function createTableWriter(
  format: Format,
  description: SourceDescription,
  query: SearchQuery,
): FeatureWriter {
  const layer = toLayer(description, query);
  if (format === 'flatgeobuf') return createFlatgeobufWriter(layer);
  return createCsvWriter(layer, format === 'csv-centroid' ? 'centroid' : 'wkt');
}

function toLayer({ name, attributes }: SourceDescription, { propertyNames, overlap }: SearchQuery): Layer {
  const names = attributes.map((attribute) => attribute.name);
  const toKnown = (asked: string) =>
    names.includes(asked) ? asked : names.find((one) => one.toLowerCase() === asked.toLowerCase());
  const asked = new Set(propertyNames?.map(toKnown) ?? names);
  const columns = attributes.filter((attribute) => asked.has(attribute.name)).map(toColumn);
  return { name, columns, hasOverlap: overlap === true };
}

function toColumn({ name, type, repeated }: Attribute): Column {
  if (repeated || type === 'object') return { name, type: 'json' };
  return { name, type: type === 'time' ? 'string' : type };
}

/** What is written behind the features: the links and the time are this caller's own. */
export function toPage(
  { numberReturned, numberMatched, warnings }: PageEnd,
  links: readonly Link[],
  language: Language,
): Page {
  return {
    numberReturned,
    numberMatched,
    warnings: warnings?.map((one) => toWarning(one, language)),
    timeStamp: new Date(),
    links,
  };
}

function toWarning(message: Message, language: Language): { code: string; message: string } {
  return { code: message.id, message: toText(message, language) };
}
