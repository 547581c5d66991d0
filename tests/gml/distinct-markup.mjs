// node --expose-gc tests/gml/distinct-markup.mjs COUNT ENGINE: reads so many pieces of markup of which none comes twice, with
// features of the usual kind between, in pushes of 64 kB; prints what was remembered of it and what memory it took. A million
// takes a quarter of a minute. Plain JavaScript over the build, so that nothing but the converter is in memory.
import { createGmlConverter } from '../../dist/gml/index.js';

const [count, engine] = [Number(process.argv[2]), process.argv[3]];
/** Pieces of markup in a feature that do not come again, at least. */
const DISTINCT = 5;
/** Of so many features one is of that kind: more, and what is learnt is not worth keeping. */
const ONE_OF = 6;
const HEAD =
  '<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:app="app">';
const TAIL = '</wfs:FeatureCollection>';
const PUSH = 1 << 16;

const toMember = (i, content) =>
  `<gml:featureMember><app:thing gml:id="t.${i}">${content}</app:thing></gml:featureMember>`;
const toFeature = (i, geometry, properties) =>
  `{"type":"Feature","id":"t.${i}","geometry":${geometry},"properties":{${properties}}}`;

/** A feature, and what is to come of it. */
function make(i) {
  if (i % ONE_OF > 0)
    return [toMember(i, `<app:a>${i}</app:a><app:b/>`), toFeature(i, 'null', `"a":"${i}","b":null`)];
  const gml = `<app:a_${i}>x</app:a_${i}><app:b b${i}="">y</app:b><app:c b="${i}"/><app:d xmlns:d="${i}">z</app:d>`;
  const properties = `"a_${i}":"x","b":"y","c":null,"d":"z"`;
  if (i % (10 * ONE_OF) > 0) return [toMember(i, gml), toFeature(i, 'null', properties)];
  const point = `<app:g><gml:Point srsName="EPSG:${i}"><gml:pos>1 2</gml:pos></gml:Point></app:g>`;
  const geometry = '{"type":"Point","coordinates":[1,2]},"geometry_name":"g"';
  return [toMember(i, gml + point), toFeature(i, geometry, properties)];
}

function measure() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const converter = createGmlConverter({ crs: () => ({ swap: false }), engine });
const total = Math.ceil(count / DISTINCT) * ONE_OF;
let [input, expected] = [HEAD, ''];
let early = 0;
let made = 0;
let peak = 0;
const push = () => {
  made += input.length;
  const { bytes, ends } = converter.push(Buffer.from(input));
  // Not what the system says was the most: that is also what the process had that started this one.
  peak = Math.max(peak, process.memoryUsage.rss());
  const text = expected.slice(1);
  // The last feature may not be whole.
  if (Buffer.from(bytes).toString() !== text.slice(0, bytes.length))
    throw new Error(`other features: ${bytes}`);
  if (ends.length > 0) expected = expected.slice(bytes.length + 1);
  input = '';
};
for (let i = 0; i < total; i++) {
  const [gml, feature] = make(i);
  input += gml;
  expected += `,${feature}`;
  if (input.length >= PUSH) push();
  if (i === Math.floor(total / 10)) early = measure();
}
push();
input = TAIL;
push();
converter.end();
if (expected !== '' || converter.numberOfFeatures !== total) throw new Error('features are missing');
const growth = measure() - early;
const { memo, shortcut } = converter;
console.log(
  JSON.stringify({
    engine: converter.engine,
    features: total,
    fast: shortcut.fastFeatures,
    bytes: made,
    transitions: memo.size,
    memoBytes: memo.pool.length,
    growth,
    peak,
  }),
);
