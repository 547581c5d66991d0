import { fixtures, type Options } from '../convert.js';
import { documents as oddDocuments } from '../documents.js';
import { dialects, faults, featureType, oddities } from '../features.js';
import type { OracleOptions } from './oracle.js';
import type { Random } from './random.js';

export interface Document {
  xml: string;
  options: OracleOptions;
}

const KEEP = { crs: () => ({ swap: false }) };
const withCrs = (options: Options = {}): OracleOptions => ({ ...KEEP, ...options });

/** A document before anything is done to it. */
export function toDocument(random: Random): Document {
  const kind = random.next();
  if (kind < 0.5) return toDialect(random);
  if (kind < 0.7) return toShapes(random);
  if (kind < 0.95) return random.pick(recorded);
  const { gml, options } = random.pick(oddDocuments);
  return { xml: gml, options: withCrs(options) };
}

/** Many features of one kind, so that they are read by what was learnt of the first ones, and a few of others. */
function toDialect(random: Random): Document {
  const { head, tail, usual, wrap, options } = random.pick(dialects);
  const oddness = random.pick([0, 0, 0.1, 0.3]);
  const start = random.below(40);
  const kinds = random.pick([1, 3, 12]);
  const missing = random.pick([0, 0, 0.2, 0.5]);
  const features = Array.from({ length: 1 + random.below(10) }, (_, i) => {
    if (random.chance(0.01)) return wrap(i, random.pick(faults)[1]);
    if (!random.chance(oddness)) return lighten(usual(start + random.below(kinds)), missing, random);
    const [, content] = random.pick(oddities);
    return wrap(i, content(i));
  });
  const asked: Partial<OracleOptions> = random.chance(0.1)
    ? { propertyNames: ['size', 'name', 'centre'] }
    : {};
  const declared: Partial<OracleOptions> = random.chance(0.2) ? { featureType } : {};
  return { xml: head + features.join('') + tail, options: { ...withCrs(options), ...declared, ...asked } };
}

/** Some of its properties are missing. */
function lighten(feature: string, missing: number, random: Random): string {
  if (missing === 0) return feature;
  return feature.replace(
    /<(app:(?:name|size|count|open|day|note))\b(?:[^>]*\/>|[^>]*>[^<]*<\/\1>)/g,
    (property) => (random.chance(missing) ? '' : property),
  );
}

// Recorded answers, cut to their first features

const MEMBER = /<((?:\w+:)?(?:featureMember|member))>[\s\S]*?<\/\1>\s*/g;
const recorded: Document[] = fixtures.map(({ answer, options }) => {
  let count = 0;
  const xml = answer
    .toString()
    .replace(MEMBER, (member) => (count++ < 5 && member.length < 6000 ? member : ''));
  return { xml, options: withCrs(options) };
});

// Geometries of every kind, and references among them

const HEAD =
  '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:app="http://example.org/app"' +
  ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">';

function toShapes(random: Random): Document {
  const writer = new ShapeWriter(random);
  const features = Array.from({ length: 1 + random.below(8) }, (_, i) => {
    const name = random.pick(['geom', 'geom', 'geom', 'centre', 'other']);
    const property = random.chance(0.1)
      ? `<app:${name} ${writer.href()}/>`
      : `<app:${name}>${writer.any(3)}</app:${name}>`;
    return `<gml:featureMember><app:thing gml:id="f${i}">${property}</app:thing></gml:featureMember>`;
  });
  const isSwapped = random.chance(0.3);
  const moves = { transform: (x: number, y: number): [number, number] => [x + 1, y * 2] };
  const reading = { swap: isSwapped, ...(random.chance(0.2) ? moves : {}) };
  const declared = random.chance(0.4) ? { featureType } : {};
  return {
    xml: `${HEAD}${features.join('')}</wfs:FeatureCollection>`,
    options: { crs: (srsName) => (srsName === 'urn:x' ? { swap: !isSwapped } : reading), ...declared },
  };
}

class ShapeWriter {
  private count = 0;
  private at = [0, 0];

  constructor(private readonly random: Random) {}

  any(depth: number): string {
    const { random } = this;
    const simple = ['point', 'line', 'polygon', 'curve', 'surface'] as const;
    const kind =
      depth === 0
        ? random.pick(simple)
        : random.pick([...simple, 'points', 'lines', 'surfaces', 'all'] as const);
    if (kind === 'points')
      return this.many(['MultiPoint'], ['pointMember', 'pointMembers'], () => this.point());
    if (kind === 'lines')
      return this.many(['MultiCurve', 'MultiLineString'], ['curveMember', 'curveMembers'], () => this.line());
    if (kind === 'surfaces')
      return this.many(['MultiSurface', 'MultiPolygon', 'CompositeSurface'], ['surfaceMember'], () =>
        random.chance(0.3) ? this.surface() : this.polygon(),
      );
    if (kind === 'all') return this.many(['MultiGeometry'], ['geometryMember'], () => this.any(depth - 1));
    return this[kind]();
  }

  href(): string {
    const { random } = this;
    const id = random.chance(0.9) ? `g${random.below(this.count + 1)}` : random.pick(['none', '', 'f1']);
    return `xlink:href="${random.chance(0.95) ? '#' : ''}${id}"`;
  }

  private element(name: string, content: string): string {
    const { random } = this;
    const id = random.chance(0.6) ? ` gml:id="g${this.count++}"` : '';
    const srs = random.chance(0.05) ? ' srsName="urn:x"' : '';
    return `<gml:${name}${id}${srs}>${content}</gml:${name}>`;
  }

  private many(names: string[], members: string[], part: () => string): string {
    const { random } = this;
    const parts = Array.from({ length: random.below(4) }, () => {
      const member = random.pick(members);
      return random.chance(0.2)
        ? `<gml:${member} ${this.href()}/>`
        : `<gml:${member}>${part()}</gml:${member}>`;
    });
    return this.element(random.pick(names), parts.join(''));
  }

  /** Positions near the last one, so that parts often join; `count` of them. */
  private positions(count: number, hasZ = false): string[] {
    const { random } = this;
    return Array.from({ length: count }, (_, i) => {
      if (i > 0 || random.chance(0.3)) this.at = [random.below(20) - 10, random.below(200) / 10];
      return [...this.at, ...(hasZ ? [random.below(100)] : [])].join(' ');
    });
  }

  private numbers(count: number): string {
    const { random } = this;
    const hasZ = random.chance(0.2);
    const positions = this.positions(count, hasZ);
    const kind = random.below(5);
    if (kind === 0) return positions.map((one) => `<gml:pos>${one}</gml:pos>`).join('');
    if (kind === 1)
      return `<gml:coordinates>${positions.map((one) => one.replace(/ /g, ',')).join(' ')}</gml:coordinates>`;
    if (kind === 2 && !hasZ)
      return positions
        .map((one) => `<gml:coord><gml:X>${one.replace(' ', '</gml:X><gml:Y>')}</gml:Y></gml:coord>`)
        .join('');
    return `<gml:posList${hasZ ? ' srsDimension="3"' : ''}>${positions.join(' ')}</gml:posList>`;
  }

  private point(): string {
    return this.element('Point', this.numbers(1));
  }

  private line(): string {
    return this.element('LineString', this.numbers(2 + this.random.below(3)));
  }

  private curve(): string {
    const { random } = this;
    const kind = random.below(5);
    if (kind === 0) return this.line();
    if (kind === 1) {
      const base = random.chance(0.3)
        ? `<gml:baseCurve ${this.href()}/>`
        : `<gml:baseCurve>${this.curve()}</gml:baseCurve>`;
      return this.element('OrientableCurve', base).replace(
        '>',
        random.chance(0.7) ? ' orientation="-">' : '>',
      );
    }
    if (kind === 2) return this.element('CompositeCurve', this.curves());
    const segments = Array.from({ length: 1 + random.below(3) }, () => this.segment());
    return this.element('Curve', `<gml:segments>${segments.join('')}</gml:segments>`);
  }

  private curves(): string {
    const { random } = this;
    return Array.from({ length: 1 + random.below(3) }, () =>
      random.chance(0.25)
        ? `<gml:curveMember ${this.href()}/>`
        : `<gml:curveMember>${this.curve()}</gml:curveMember>`,
    ).join('');
  }

  private segment(): string {
    const { random } = this;
    const kind = random.below(9);
    if (kind === 0) return this.part('Arc', this.list(3));
    if (kind === 1) return this.part('ArcString', this.list(5));
    if (kind === 2) return this.part('Circle', this.list(3));
    if (kind === 3) {
      const angles = `<gml:startAngle uom="deg">${random.below(360)}</gml:startAngle><gml:endAngle uom="deg">${random.below(360)}</gml:endAngle>`;
      return this.part(
        'ArcByCenterPoint',
        `${this.list(1)}<gml:radius uom="m">${1 + random.below(9)}</gml:radius>${angles}`,
      );
    }
    if (kind === 4)
      return this.part('ArcByBulge', `${this.list(2)}<gml:bulge>${random.below(5) - 2}</gml:bulge>`);
    return this.part(
      random.pick(['LineStringSegment', 'GeodesicString', 'BSpline']),
      this.numbers(2 + random.below(2)),
    );
  }

  private part(name: string, content: string): string {
    return `<gml:${name}>${content}</gml:${name}>`;
  }

  private list(count: number): string {
    const isPoint = this.random.chance(0.15);
    if (!isPoint) return `<gml:posList>${this.positions(count).join(' ')}</gml:posList>`;
    return Array.from({ length: count }, () => `<gml:pointProperty>${this.point()}</gml:pointProperty>`).join(
      '',
    );
  }

  private ring(): string {
    const { random } = this;
    if (random.chance(0.3)) return this.element('Ring', this.curves());
    return this.element('LinearRing', this.numbers(3 + random.below(4)));
  }

  private polygon(name = 'Polygon'): string {
    const { random } = this;
    const bound = (property: string): string =>
      random.chance(0.1)
        ? `<gml:${property} ${this.href()}/>`
        : `<gml:${property}>${this.ring()}</gml:${property}>`;
    const bounds = [bound(random.pick(['exterior', 'exterior', 'outerBoundaryIs']))];
    if (random.chance(0.3)) bounds.push(bound('interior'));
    if (random.chance(0.1)) bounds.reverse();
    return this.element(name, bounds.join(''));
  }

  private surface(): string {
    const { random } = this;
    if (random.chance(0.3)) {
      const base = random.chance(0.3)
        ? `<gml:baseSurface ${this.href()}/>`
        : `<gml:baseSurface>${this.polygon()}</gml:baseSurface>`;
      return this.element('OrientableSurface', base);
    }
    const patches = Array.from({ length: random.below(3) }, () => this.polygon('PolygonPatch'));
    return this.element('Surface', `<gml:patches>${patches.join('')}</gml:patches>`);
  }
}
