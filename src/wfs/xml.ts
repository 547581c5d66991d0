// XML 1.0 §2.2: what no document can hold, not even escaped.
const NOT_XML =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;', // `]]>` must not stand in text (XML 1.0 §2.4)
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;', // as references: a parser would turn these into spaces in attributes, and \r into \n anywhere
  '\n': '&#10;',
  '\r': '&#13;',
};

/** The one place where text becomes XML: any string that `isXmlText` parses back to itself, in text and in attributes. */
export function encodeText(text: string): string {
  return text.replace(/[&<>"'\t\n\r]/g, (character) => ESCAPES[character] as string);
}

export function isXmlText(text: string): boolean {
  return !NOT_XML.test(text);
}

/** An element; `content` is XML already, long lists of it as arrays. Attributes that are undefined are left out. */
export function encodeElement(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  ...content: readonly (string | readonly string[])[]
): string {
  let tag = `<${name}`;
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) tag += ` ${key}="${encodeText(String(value))}"`;
  }
  if (content.length === 0) return `${tag}/>`;
  tag += '>';
  for (const part of content) tag += typeof part === 'string' ? part : part.join('');
  return `${tag}</${name}>`;
}
