import { describe, expect, test } from '@jest/globals';
import { convert } from './convert.js';

const body =
  '<c:FeatureCollection xmlns:c="http://www.opengis.net/wfs">\r\n<c:member><a fid="é"><n>Łé</n></a></c:member></c:FeatureCollection>';
const latin = body.replace('Ł', 'L');

function utf16(text: string, isBigEndian: boolean): Buffer {
  const bytes = Buffer.from(text, 'utf16le');
  return isBigEndian ? bytes.swap16() : bytes;
}

describe('encodings', () => {
  test.each([
    ['UTF-8, not declared', Buffer.from(body), 'Łé'],
    ['UTF-8, declared', Buffer.from(`<?xml version='1.0' encoding='utf-8' standalone="yes"?>${body}`), 'Łé'],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff<?xml version="1.0"?>${body}`), 'Łé'],
    ['ISO-8859-1', Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${latin}`, 'latin1'), 'Lé'],
    [
      'windows-1252',
      Buffer.concat([
        Buffer.from('<?xml version="1.0" encoding="windows-1252"?>'),
        Buffer.from(latin.replace('Lé', '\x80é'), 'latin1'),
      ]),
      '€é',
    ],
    [
      'ISO-8859-15',
      Buffer.concat([
        Buffer.from('<?xml version="1.0" encoding="ISO-8859-15"?>'),
        Buffer.from(latin.replace('Lé', '\xa4é'), 'latin1'),
      ]),
      '€é',
    ],
    [
      'UTF-16LE with a byte order mark',
      utf16(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${body}`, false),
      'Łé',
    ],
    [
      'UTF-16BE with a byte order mark',
      utf16(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${body}`, true),
      'Łé',
    ],
    ['UTF-16LE without one', utf16(`<?xml version="1.0" encoding="UTF-16"?>${body}`, false), 'Łé'],
    ['UTF-8 that says it is UTF-16', Buffer.from(`<?xml version="1.0" encoding="utf-16"?>${body}`), 'Łé'],
  ])('%s', (_, bytes, n) => {
    for (const cut of [Number.POSITIVE_INFINITY, 1, 3]) {
      const { features, error } = convert(bytes, {}, cut);
      expect(error).toBeUndefined();
      expect(features).toEqual([{ type: 'Feature', id: 'é', geometry: null, properties: { n } }]);
    }
  });

  test('an encoding nobody knows', () => {
    const { error } = convert(`<?xml version="1.0" encoding="EBCDIC-FR"?>${body}`);
    expect(error?.text).toMatchObject({ id: 'gml.encodingUnknown', values: { encoding: 'EBCDIC-FR' } });
  });

  test('bytes that the declared encoding does not know', () => {
    const bytes = Buffer.concat([
      Buffer.from('<?xml version="1.0" encoding="EUC-JP"?><member>\n<!-- '),
      Buffer.from([0xff, 0x20]),
      Buffer.from('--></member>'),
    ]);
    for (const cut of [Number.POSITIVE_INFINITY, 1]) {
      const { error } = convert(bytes, {}, cut);
      expect([error?.text.id, error?.line, error?.column]).toEqual(['gml.encodingFault', 2, 6]);
    }
  });

  test('a declaration longer than a tag may be is refused', () => {
    expect(convert(`<?xml version="1.0" ${' '.repeat(100_000)}`, {}, 1000).error?.text.id).toBe(
      'gml.badInstruction',
    );
  });
});
