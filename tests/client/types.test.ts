import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
// @ts-expect-error plain JavaScript, run as a script otherwise
import { loadTypes, typesFile } from '../../scripts/make-client-types.mjs';

test("the client's types are those of the OpenAPI document (else: node scripts/make-client-types.mjs)", () => {
  expect(readFileSync(typesFile, 'utf8')).toBe(loadTypes());
});
