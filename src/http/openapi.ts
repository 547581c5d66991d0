import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Config } from '../config.js';
import type { Language } from '../errors.js';
import { toProblemExamples } from './problem-examples.js';

/** An OpenAPI 3.1 document, as JSON. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

export type DocumentLimits = Pick<Config, 'limitMax' | 'geomMaxVertices' | 'bodyLimit'>;

/** What a document tells of the module it is for. */
export interface ModuleAbout {
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  /** What "Try it out" begins with; for `wfs-geoportail` by default a layer it has. */
  readonly example?: {
    readonly source: string;
    /** Longitude, latitude. */
    readonly position?: readonly [number, number];
    readonly attributes?: Readonly<Record<string, string | readonly string[]>>;
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a document of a known form, taken apart freely
type Json = any;

/** The document of `wfs-geoportail` is also the one that all others are made from. */
const templateName = 'wfs-geoportail';
const readYaml = (name: string): Json =>
  parse(readFileSync(new URL(`../../openapi/${name}.yml`, import.meta.url), 'utf8'));
/** In place of a source where a value must stand, and none is known. */
const noSource = 'LAYER';

/** Parsing YAML takes longer than all else at start: once a process is enough. */
const templates = new Map<Language, Json>();

function readTemplate(language: Language): Json {
  let template = templates.get(language);
  if (template === undefined) {
    template = language === 'en' ? readYaml(templateName) : toTranslated(readTemplate('en'), language);
    templates.set(language, template);
  }
  return structuredClone(template);
}

const toFolded = (text: string) => text.replace(/\s+/g, ' ').trim();

/** Summaries and descriptions in another language; what has no words, as the name of a geometry, stays. */
function toTranslated(document: Json, language: Language): Json {
  const pairs: readonly { en: string; fr: string }[] = readYaml(`${templateName}.${language}`);
  const texts = new Map(pairs.map(({ en, [language]: text }) => [toFolded(en), text]));
  const translate = (value: Json, name?: string): Json => {
    if (Array.isArray(value)) return value.map((item) => translate(item));
    if (typeof value === 'string') {
      const isText = name === 'summary' || name === 'description';
      return isText ? (texts.get(toFolded(value)) ?? value) : value;
    }
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, translate(item, key)]));
  };
  return translate(document);
}

/** Every answer that says no is shown with one of its kind. */
function addProblemExamples(document: Json, language: Language): void {
  for (const [name, example] of Object.entries(toProblemExamples(language))) {
    document.components.responses[name].content['application/problem+json'].example = example;
  }
}

/** `{limitMax}` in a text, and a number written as such a text alone, become what the configuration says. */
function toFilled(value: unknown, values: Readonly<Record<string, number>>): unknown {
  if (Array.isArray(value)) return value.map((item) => toFilled(item, values));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toFilled(item, values)]));
  }
  if (typeof value !== 'string') return value;
  const alone = /^\{(\w+)\}$/.exec(value)?.[1];
  if (alone !== undefined && Object.hasOwn(values, alone)) return values[alone];
  return value.replace(/\{(\w+)\}/g, (text, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : text,
  );
}

function toRenamed(paths: Json, name: string): Json {
  const base = `/api/${templateName}`;
  const rename = (path: string) => (path.startsWith(base) ? `/api/${name}${path.slice(base.length)}` : path);
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [rename(path), item]));
}

/** Every position of a GeoJSON object moved by the same, to about 0.1 m. */
function toMoved(geojson: Json, [lon, lat]: readonly [number, number]): Json {
  if (Array.isArray(geojson)) {
    const [x, y, ...rest] = geojson;
    const move = (degrees: number, by: number) => Math.round((degrees + by) * 1e6) / 1e6;
    if (typeof x === 'number') return [move(x, lon), move(y, lat), ...rest];
    return geojson.map((item) => toMoved(item, [lon, lat]));
  }
  if (typeof geojson !== 'object' || geojson === null) return geojson;
  return Object.fromEntries(Object.entries(geojson).map(([key, item]) => [key, toMoved(item, [lon, lat])]));
}

/** The template's own examples, about another layer and around another place. */
function replaceExamples(document: Json, example: ModuleAbout['example']): void {
  const { source, geom } = document.components.parameters;
  const search = document.paths[`/api/${templateName}/search`].post;
  const bodies: Json = search.requestBody.content['application/json'].examples;
  const point = bodies.point.value.geom.coordinates;
  const { position = point, attributes } = example ?? {};
  const by = [position[0] - point[0], position[1] - point[1]] as const;
  for (const entry of Object.values<Json>(geom.examples)) {
    entry.value = JSON.stringify(toMoved(JSON.parse(entry.value), by));
  }
  for (const entry of Object.values<Json>(bodies)) {
    entry.value.source = example?.source ?? noSource;
    if (entry.value.geom !== undefined) entry.value.geom = toMoved(entry.value.geom, by);
  }
  const { source: name, _limit } = bodies.attributes.value;
  bodies.attributes.value = { source: name, ...attributes, _limit };
  if (attributes === undefined) delete bodies.attributes;

  const inPath = document.paths[`/api/${templateName}/sources/{source}`].get.parameters[0];
  for (const parameter of [source, inPath]) {
    if (example === undefined) delete parameter.example;
    else parameter.example = example.source;
  }
  const words = document.paths[`/api/${templateName}/sources`].get.parameters;
  delete words.find((parameter: Json) => parameter.name === 'q').example;
}

/** The document of a module: its paths, title and examples, and the limits it keeps, in the reader's language. */
export function loadDocument(
  module: ModuleAbout,
  limits: DocumentLimits,
  language: Language = 'en',
): OpenApiDocument {
  const { limitMax, geomMaxVertices, bodyLimit } = limits;
  const [defaultLimit, exampleLimit] = [Math.min(1000, limitMax), Math.min(10, limitMax)];
  const values = { limitMax, geomMaxVertices, bodyLimit, defaultLimit, exampleLimit };
  const document = readTemplate(language);
  addProblemExamples(document, language);
  if (module.name !== templateName || module.example !== undefined) replaceExamples(document, module.example);
  const filled = toFilled(document, values) as Json;
  const description = [module.description, filled.info.description].filter(Boolean).join('\n\n');
  return {
    ...filled,
    info: { ...filled.info, title: module.title, description },
    paths: toRenamed(filled.paths, module.name),
  };
}
