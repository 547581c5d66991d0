import { describe, expect, test } from '@jest/globals';
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { convert, fixtures } from './convert.js';
import { documents } from './documents.js';

interface Writing {
  /** The prefix a prefix is written with; '' makes it the default namespace of each element. */
  prefix(prefix: string): string;
  attributes(written: string[]): string[];
  /** Put between two pieces of markup where no text is. */
  between: string;
  /** Text, escaped anew. */
  text(text: string): string;
}

const toXmlText = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const PLAIN: Writing = {
  prefix: (prefix) => prefix,
  attributes: (written) => written,
  between: '',
  text: toXmlText,
};

/** The same document, parsed by saxes and written in another way. */
function rewrite(xml: string, changes: Partial<Writing>): string {
  const writing = { ...PLAIN, ...changes };
  const parser = new SaxesParser({ xmlns: true });
  const open: string[] = [];
  let out = '<?xml version="1.0"?>';
  let text = '';
  const flush = (): void => {
    out += /^[ \t\n]*$/.test(text) ? text + (open.length > 0 ? writing.between : '') : writing.text(text);
    text = '';
  };
  parser.on('text', (piece) => {
    text += piece;
  });
  parser.on('cdata', (piece) => {
    text += piece;
  });
  parser.on('opentag', (tag: SaxesTagNS) => {
    flush();
    const { name, attributes } = toTag(tag, writing);
    out += `<${[name, ...writing.attributes(attributes)].join('\n\t')}>`;
    open.push(name);
  });
  parser.on('closetag', () => {
    if (text !== '') flush();
    out += `</${open.pop()} >`;
  });
  parser.write(xml).close();
  return out;
}

/** Each element declares what it needs itself. */
function toTag(tag: SaxesTagNS, writing: Writing): { name: string; attributes: string[] } {
  const declared = new Map<string, string>();
  const qualify = (prefix: string, local: string, uri: string): string => {
    const written = uri === '' ? '' : writing.prefix(prefix);
    declared.set(written, uri);
    return written === '' ? local : `${written}:${local}`;
  };
  const name = qualify(tag.prefix, tag.local, tag.uri);
  const attributes = Object.values(tag.attributes)
    .filter(({ prefix, name: written }) => prefix !== 'xmlns' && written !== 'xmlns')
    .map(({ prefix, local, uri, value }) => {
      const written = prefix === '' ? local : `q${prefix}:${local}`;
      if (prefix !== '') declared.set(`q${prefix}`, uri);
      return `${written}="${toXmlText(value).replace(/"/g, '&quot;')}"`;
    });
  const declarations = [...declared].map(
    ([prefix, uri]) => `xmlns${prefix === '' ? '' : `:${prefix}`}="${toXmlText(uri)}"`,
  );
  return { name, attributes: [...declarations, ...attributes] };
}

const WAYS: [string, Partial<Writing>][] = [
  ['as it is', {}],
  ['other prefixes', { prefix: (prefix) => `x${prefix}` }],
  ['default namespaces alone', { prefix: () => '' }],
  ['attributes the other way round', { attributes: (written) => [...written].reverse() }],
  ['comments and instructions in between', { between: '<!-- <a>&nope; --><?pi <b?>' }],
  ['text as CDATA', { text: (text) => `<![CDATA[${text.replace(/]]>/g, ']]]]><![CDATA[>')}]]>` }],
  ['text as references', { text: (text) => [...text].map((one) => `&#${one.codePointAt(0)};`).join('') }],
  [
    'text with comments inside',
    {
      text: (text) =>
        [...text].map((one, i) => (i % 3 === 1 ? `<!-- ${i} -->${toXmlText(one)}` : toXmlText(one))).join(''),
    },
  ],
];

describe('how a document is written does not matter', () => {
  const all = [
    ...fixtures.map(({ name, answer, options }) => ({ name, xml: answer.toString(), options })),
    ...documents
      .filter(({ gml }) => convert(gml).error === undefined)
      .map(({ name, gml, options = {} }) => ({ name, xml: gml, options })),
  ];
  test.each(WAYS)('%s', (_, changes) => {
    for (const { name, xml, options } of all) {
      const expected = convert(xml, options);
      const rewritten = convert(rewrite(xml, changes), options);
      expect([name, rewritten.error]).toEqual([name, undefined]);
      expect([name, rewritten.text]).toEqual([name, expected.text]);
    }
  });
});
