/** A Feature as the converter writes it, taken apart without reading its numbers: values stay digit by digit. */
export interface FeatureText {
  /** As JSON text; `null` where there is none. */
  readonly id: string;
  readonly geometry: string;
  readonly overlap: string;
  /** Name to value, as JSON text. */
  readonly properties: ReadonlyMap<string, string>;
  /** The feature with these properties alone. */
  withProperties(names: ReadonlySet<string>): string;
}

/** @param feature one well-formed GeoJSON Feature */
export function readFeatureText(feature: string): FeatureText {
  const members = new Map<string, { start: number; end: number }>();
  readMembers(feature, 0, (name, start, end) => members.set(name, { start, end }));
  const slice = (name: string) => {
    const place = members.get(name);
    return place === undefined ? 'null' : feature.slice(place.start, place.end);
  };
  const properties = new Map<string, string>();
  const at = members.get('properties');
  if (at !== undefined && feature[at.start] === '{') {
    readMembers(feature, at.start, (name, start, end) => properties.set(name, feature.slice(start, end)));
  }
  return {
    id: slice('id'),
    geometry: slice('geometry'),
    overlap: slice('overlap'),
    properties,
    withProperties(names) {
      if (at === undefined) return feature;
      const kept = [...properties].filter(([name]) => names.has(name));
      const text = kept.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',');
      return `${feature.slice(0, at.start)}{${text}}${feature.slice(at.end)}`;
    },
  };
}

/** The members of the object that begins at `start`. */
function readMembers(
  json: string,
  start: number,
  member: (name: string, start: number, end: number) => void,
): void {
  let at = skipSpace(json, start + 1);
  while (json[at] === '"') {
    const nameEnd = skipString(json, at);
    const valueStart = skipSpace(json, skipSpace(json, nameEnd) + 1);
    const valueEnd = skipValue(json, valueStart);
    member(JSON.parse(json.slice(at, nameEnd)) as string, valueStart, valueEnd);
    at = skipSpace(json, valueEnd);
    if (json[at] !== ',') return;
    at = skipSpace(json, at + 1);
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

function skipSpace(json: string, start: number): number {
  let at = start;
  while (json.charCodeAt(at) <= 32) at += 1;
  return at;
}

function skipString(json: string, start: number): number {
  let at = start + 1;
  for (let code = json.charCodeAt(at); code !== QUOTE; code = json.charCodeAt(at))
    at += code === BACKSLASH ? 2 : 1;
  return at + 1;
}

function skipValue(json: string, start: number): number {
  if (json.charCodeAt(start) === QUOTE) return skipString(json, start);
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code > 0x2c && code < 0x5b) continue; // what numbers are made of, first of all
    if (code === QUOTE) at = skipString(json, at) - 1;
    else if (code === 0x7b || code === 0x5b) depth += 1;
    else if (code === 0x7d || code === 0x5d) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (code === COMMA && depth === 0) return at;
  }
  return json.length;
}
