import { fromUtf8, Lane } from './bytes.js';
import type { GmlException } from './errors.js';
import { type Name, Role, type Tag } from './names.js';
import { copyText } from './values.js';

const EXCEPTIONS_MAX = 32;
const TEXT_MAX = 8192;

/** Whether the element is an exception report of any dialect, with or without a namespace. */
export function isExceptionReport(name: Name): boolean {
  return name.local === 'ExceptionReport' || name.local === 'ServiceExceptionReport';
}

/**
 * `ows:ExceptionReport` (OWS Common 1.0 §8), `ogc:ServiceExceptionReport` (WFS 1.0.0 §7.7), and the old
 * `ExceptionReport` of wxs.ign.fr with the text right inside `Exception`.
 */
export class ExceptionReader {
  readonly exceptions: GmlException[] = [];
  private code: string | undefined;
  private locator: string | undefined;
  private isInside = false;
  private readonly content = new Lane(0);

  open(name: Name, tag: Tag): void {
    if (name.local === 'Exception' || name.local === 'ServiceException') {
      this.flush();
      this.isInside = true;
      this.code = cut(tag.value(Role.code));
      this.locator = cut(tag.value(Role.locator));
    } else if (this.isInside && this.content.length > 0) this.content.putByte(0x0a);
  }

  close(name: Name): void {
    if (name.local === 'Exception' || name.local === 'ServiceException') this.flush();
  }

  text(bytes: Uint8Array, at: number): number {
    const end = copyText(this.content, bytes, at);
    this.trim();
    return end;
  }

  characters(bytes: Uint8Array, from: number, to: number): void {
    this.content.put(bytes, from, to);
    this.trim();
  }

  /** Ends the exception that is open, where there is one. */
  flush(): void {
    const raw = fromUtf8(this.content.bytes, 0, this.content.length);
    const text = raw
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n')
      .slice(0, TEXT_MAX);
    if ((this.isInside || text !== '') && this.exceptions.length < EXCEPTIONS_MAX) {
      const { code, locator } = this;
      this.exceptions.push({
        ...(code === undefined ? {} : { code }),
        ...(locator === undefined ? {} : { locator }),
        text,
      });
    }
    this.isInside = false;
    this.code = undefined;
    this.locator = undefined;
    this.content.length = 0;
  }

  private trim(): void {
    // Four bytes are the longest character; what is too long is cut when it is decoded.
    this.content.length = Math.min(this.content.length, TEXT_MAX * 4);
  }
}

function cut(value: string | undefined): string | undefined {
  return value?.slice(0, TEXT_MAX);
}
