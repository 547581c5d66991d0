import { toUtf8 } from './bytes.js';
import { createGmlConverter } from './converter.js';
import { type GmlException, GmlExceptionReport } from './errors.js';

/**
 * The exceptions of a body that is, or holds, an exception report: `ows:ExceptionReport`, `ogc:ServiceExceptionReport`
 * or the old `ExceptionReport` without a namespace.
 * @returns undefined where it is anything else
 */
export function readExceptionReport(xml: string): readonly GmlException[] | undefined {
  const converter = createGmlConverter({ crs: () => ({ swap: false }) });
  try {
    converter.push(toUtf8(toUtf8Declared(xml)));
    converter.end();
  } catch (error) {
    if (error instanceof GmlExceptionReport) return error.exceptions;
  }
  return undefined;
}

/** A string has been decoded already, whatever its declaration says. */
export function toUtf8Declared(xml: string): string {
  return xml.replace(/^(\ufeff?<\?xml[^>]*?)\s+encoding\s*=\s*(?:"[^"]*"|'[^']*')/, '$1');
}
