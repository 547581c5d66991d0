import { createBatches, type Sink, type Source } from './conversion.js';
import { type Position, toEmptyProperties, toPositions, toRightHanded, toTyped } from './typed.js';

/** Asked for only where they are needed: some parsers read them on demand. */
type Attributes = () => Readonly<Record<string, string>>;

/** Element events, with qualified names and text already decoded. */
export interface Events {
  open(name: string, attributes: Attributes): void;
  text(text: string): void;
  close(name: string): void;
  end(): number;
}

interface Geometry {
  readonly type: string;
  readonly coordinates: unknown[];
}

interface Feature {
  readonly type: 'Feature';
  id?: string;
  geometry: Geometry | null;
  readonly geometry_name: string;
  readonly properties: Record<string, unknown>;
}

const local = (name: string) => name.slice(name.indexOf(':') + 1);

/**
 * What one would write around a SAX parser for these layers: features built as they come, one at a time, with typed
 * properties, swapped axes and rings the right way round. Knows no more of GML than the data of the bench needs.
 */
export function createBuilder({ featureType, swap }: Source, sink: Sink): Events {
  const types = new Map(featureType.attributes.map(({ name, type }) => [name, type]));
  const geometryName = featureType.geometries[0]?.name ?? '';
  const batches = createBatches(sink);
  let feature: Feature | undefined;
  let depth = 0; // below the feature
  let property = '';
  let isNil = false;
  let isText = false;
  let text = '';
  let polygon: Position[][] = [];
  let isExterior = true;

  function begin(attributes: Attributes): void {
    feature = {
      type: 'Feature',
      geometry: null,
      geometry_name: geometryName,
      properties: toEmptyProperties(featureType),
    };
    const id = attributes()['gml:id'];
    if (id !== undefined) feature.id = id;
    depth = 0;
  }

  function openProperty(name: string, attributes: Attributes): void {
    property = name;
    isText = types.has(name);
    isNil = attributes()['xsi:nil'] === 'true';
  }

  function openGeometry(current: Feature, name: string): void {
    switch (name) {
      case 'Point':
      case 'LineString':
        current.geometry = { type: name, coordinates: [] };
        break;
      case 'MultiSurface':
        current.geometry = { type: 'MultiPolygon', coordinates: [] };
        break;
      case 'Polygon':
        polygon = [];
        if (current.geometry === null) current.geometry = { type: name, coordinates: polygon };
        else current.geometry.coordinates.push(polygon);
        break;
      case 'exterior':
      case 'interior':
        isExterior = name === 'exterior';
        break;
      case 'pos':
      case 'posList':
        isText = true;
    }
  }

  function closePositions(current: Feature): void {
    const positions = toPositions(text, swap);
    const geometry = current.geometry as Geometry;
    if (geometry.type === 'Point') geometry.coordinates.push(...(positions[0] as Position));
    else if (geometry.type === 'LineString') geometry.coordinates.push(...positions);
    else polygon.push(toRightHanded(positions, isExterior));
    isText = false;
  }

  return {
    open(qualified, attributes) {
      const name = local(qualified);
      if (feature === undefined) {
        if (name === featureType.name) begin(attributes);
        return;
      }
      depth++;
      text = '';
      if (depth === 1) openProperty(name, attributes);
      else if (property === geometryName) openGeometry(feature, name);
    },
    text(part) {
      if (isText) text += part;
    },
    close(qualified) {
      if (feature === undefined) return;
      if (depth === 0) {
        batches.put(feature);
        feature = undefined;
        return;
      }
      if (depth === 1) {
        if (isText && !isNil) feature.properties[property] = toTyped(text, types.get(property) ?? 'string');
        isText = false;
      } else if (isText && property === geometryName) {
        const name = local(qualified);
        if (name === 'posList' || name === 'pos') closePositions(feature);
      }
      depth--;
    },
    end: () => batches.end(),
  };
}
