import { createBatches, createWhole, type Open, type Source } from './conversion.js';
import { loadPeer } from './load-peer.js';
import { toEmptyProperties, toPositions, toRightHanded, toTyped } from './typed.js';

/** An element as fast-xml-parser gives it: text, or attributes (`@name`), children and text (`#text`). */
type Element = string | { readonly [name: string]: Element | readonly Element[] };

interface FastXmlParser {
  XMLParser: new (
    options: Record<string, unknown>,
  ) => { parse(document: Buffer): Readonly<Record<string, Element>> };
}

const ALWAYS_LISTS = new Set(['featureMember', 'featureMembers', 'surfaceMember', 'interior']);

const OPTIONS = {
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // numeric references are decoded with the entities of HTML only
  htmlEntities: true,
  // documents of the bench hold more entities than it allows for fear of expansion
  processEntities: {
    enabled: true,
    maxTotalExpansions: Number.POSITIVE_INFINITY,
    maxExpandedLength: Number.POSITIVE_INFINITY,
  },
};

export async function loadFastXmlParser(source: Source): Promise<Open> {
  const { XMLParser } = await loadPeer<FastXmlParser>('fast-xml-parser');
  const { featureType } = source;
  const isArray = (name: string) => ALWAYS_LISTS.has(name) || name === featureType.name;
  const parser = new XMLParser({ ...OPTIONS, isArray });
  return createWhole((document, sink) => {
    const batches = createBatches(sink);
    const root = parser.parse(document).FeatureCollection as Element;
    for (const members of [...toList(root, 'featureMember'), ...toList(root, 'featureMembers')]) {
      for (const element of toList(members, featureType.name)) batches.put(toFeature(source, element));
    }
    return batches.end();
  });
}

function toList(element: Element | undefined, name: string): readonly Element[] {
  const child = element === undefined || typeof element === 'string' ? undefined : element[name];
  return child === undefined ? [] : Array.isArray(child) ? child : [child as Element];
}

const toChild = (element: Element | undefined, name: string): Element | undefined => toList(element, name)[0];

function toText(element: Element | undefined): string {
  if (element === undefined) return '';
  return typeof element === 'string' ? element : String(element['#text'] ?? '');
}

function toFeature({ featureType, swap }: Source, element: Element): unknown {
  const geometryName = featureType.geometries[0]?.name ?? '';
  const properties = toEmptyProperties(featureType);
  for (const { name, type } of featureType.attributes) {
    const child = toChild(element, name);
    if (child !== undefined && toText(toChild(child, '@nil')) !== 'true')
      properties[name] = toTyped(toText(child), type);
  }
  const id = toChild(element, '@id');
  const geometry = toGeometry(toChild(element, geometryName), swap);
  return {
    type: 'Feature',
    ...(id !== undefined && { id }),
    geometry,
    geometry_name: geometryName,
    properties,
  };
}

function toGeometry(property: Element | undefined, swap: boolean): unknown {
  const point = toChild(property, 'Point');
  if (point !== undefined)
    return { type: 'Point', coordinates: toPositions(toText(toChild(point, 'pos')), swap)[0] };
  const line = toChild(property, 'LineString');
  if (line !== undefined)
    return { type: 'LineString', coordinates: toPositions(toText(toChild(line, 'posList')), swap) };
  const surfaces = toList(toChild(property, 'MultiSurface'), 'surfaceMember');
  const coordinates = surfaces.map((member) => {
    const polygon = toChild(member, 'Polygon');
    const toRing = (boundary: Element, isExterior: boolean) =>
      toRightHanded(
        toPositions(toText(toChild(toChild(boundary, 'LinearRing'), 'posList')), swap),
        isExterior,
      );
    return [
      ...toList(polygon, 'exterior').map((boundary) => toRing(boundary, true)),
      ...toList(polygon, 'interior').map((boundary) => toRing(boundary, false)),
    ];
  });
  return { type: 'MultiPolygon', coordinates };
}
