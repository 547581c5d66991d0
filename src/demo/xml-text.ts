/** The namespaces of WFS 1.1.0 (OGC 04-094 §6.4) and what it builds on. */
export const NAMESPACES = {
  wfs: 'http://www.opengis.net/wfs',
  ogc: 'http://www.opengis.net/ogc',
  gml: 'http://www.opengis.net/gml',
  ows: 'http://www.opengis.net/ows',
  xlink: 'http://www.w3.org/1999/xlink',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
} as const;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // Raw, a parser must turn it into a line feed (XML 1.0 §2.11).
  '\r': '&#13;',
};

/** Text as character data or as the value of a double-quoted attribute; characters XML 1.0 cannot hold are left out. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character).replace(UNWRITABLE, '');
}

// XML 1.0 §2.2 Char: no control characters but tab, line feed, carriage return; no lone surrogates.
const UNWRITABLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
