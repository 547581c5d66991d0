import { randomBytes } from 'node:crypto';

/** Never the same twice, also in the next process. */
export function createTags(): () => string {
  const prefix = randomBytes(9).toString('base64url');
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
