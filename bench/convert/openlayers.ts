import { createBatches, createWhole, type Open, type Source } from './conversion.js';
import { loadPeer } from './load-peer.js';
import { toEmptyProperties, toTyped } from './typed.js';

interface XmlDom {
  Node: unknown;
  Element: { prototype: object };
  DOMParser: new () => { parseFromString(text: string, type: string): unknown };
}

interface OlFeature {
  getId(): string | undefined;
  get(name: string): unknown;
}

type Wfs = new (
  options: Record<string, unknown>,
) => { readFeatures(document: unknown, options: { dataProjection: string }): OlFeature[] };
type Gml3 = new (options: Record<string, unknown>) => unknown;
type Geojson = new () => {
  writeGeometryObject(geometry: unknown, options: { rightHanded: boolean }): Record<string, unknown>;
};

interface DomNode {
  readonly nodeType: number;
  readonly firstChild: DomNode | null;
  readonly nextSibling: DomNode | null;
}

const LAT_LON = 'urn:x-ogc:def:crs:EPSG:4326';

/** OpenLayers' own reader of WFS answers, as an application in Node would call it. */
export async function loadOpenLayers({ featureType, swap }: Source): Promise<Open> {
  const dom = await loadPeer<XmlDom>('@xmldom/xmldom');
  const { default: WFS } = await loadPeer<{ default: Wfs }>('ol/format/WFS.js');
  const { default: GML3 } = await loadPeer<{ default: Gml3 }>('ol/format/GML3.js');
  const { default: GeoJSON } = await loadPeer<{ default: Geojson }>('ol/format/GeoJSON.js');
  completeDom(dom);
  const { name, namespace, attributes, geometries } = featureType;
  const geometryName = geometries[0]?.name ?? '';
  const wfs = new WFS({
    gmlFormat: new GML3({ srsName: 'EPSG:4326' }),
    featureNS: namespace,
    featureType: name,
    version: '1.1.0',
  });
  const dataProjection = swap ? LAT_LON : 'EPSG:4326';
  const geojson = new GeoJSON();
  const toFeature = (feature: OlFeature) => {
    const properties = toEmptyProperties(featureType);
    for (const attribute of attributes) {
      const text = feature.get(attribute.name);
      if (typeof text === 'string') properties[attribute.name] = toTyped(text, attribute.type);
    }
    const id = feature.getId();
    const geometry = geojson.writeGeometryObject(feature.get(geometryName), { rightHanded: true });
    return {
      type: 'Feature',
      ...(id !== undefined && { id }),
      geometry,
      geometry_name: geometryName,
      properties,
    };
  };
  return createWhole((document, sink) => {
    const tree = new dom.DOMParser().parseFromString(document.toString(), 'application/xml');
    const batches = createBatches(sink);
    for (const feature of wfs.readFeatures(tree, { dataProjection })) batches.put(toFeature(feature));
    return batches.end();
  });
}

/** What OpenLayers expects of a browser's DOM and xmldom leaves out. */
function completeDom({ Node, Element: { prototype } }: XmlDom): void {
  Object.assign(globalThis, { Node });
  const toElement = (node: DomNode | null) => {
    let current = node;
    while (current !== null && current.nodeType !== 1) current = current.nextSibling;
    return current;
  };
  const define = (name: string, get: (this: DomNode) => DomNode | null) => {
    if (!(name in prototype)) Object.defineProperty(prototype, name, { get });
  };
  define('firstElementChild', function () {
    return toElement(this.firstChild);
  });
  define('nextElementSibling', function () {
    return toElement(this.nextSibling);
  });
}
