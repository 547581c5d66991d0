import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../paths.js';
import type { Kind, Sample } from './kinds.js';

interface ExpectedFeature {
  readonly id?: string;
}

/**
 * A recorded answer of a real server, with its features over and over, numbered on where they have an id: a capture has a
 * handful of features, too few to be timed.
 */
export function readCapture(name: string): Kind {
  const read = (file: string) => readFileSync(join(paths.fixtures, name, file), 'utf8');
  const answer = read('answer.xml');
  const { features } = JSON.parse(read('expected.json')) as { features: ExpectedFeature[] };
  const members = answer.match(/[ \t]*<gml:featureMember>.*?<\/gml:featureMember>\n?/gs) ?? [];
  if (members.length === 0 || members.length !== features.length)
    throw new Error(`${name}: ${members.length} members, ${features.length} features`);
  const from = answer.indexOf(members[0] as string);
  return {
    name,
    title: `real answer ${name}`,
    typeName: /<gml:featureMember>\s*<[^\s:>]+:([^\s>]+)/.exec(members[0] as string)?.[1] ?? '',
    schema: read('schema.xsd'),
    head: answer.slice(0, from),
    tail: answer.slice(from + members.join('').length),
    *samples() {
      for (let k = 0; ; k++) {
        const i = k % members.length;
        yield toSample(members[i] as string, features[i] as ExpectedFeature, k + 1);
      }
    },
  };
}

function toSample(member: string, feature: ExpectedFeature, k: number): Sample {
  if (feature.id === undefined) return { gml: member, geojson: JSON.stringify(feature) };
  const id = `${feature.id.slice(0, feature.id.indexOf('.'))}.${k}`;
  const gml = member.replace(`gml:id="${feature.id}"`, `gml:id="${id}"`);
  return { gml, geojson: JSON.stringify({ ...feature, id }) };
}
