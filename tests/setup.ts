import { afterAll, afterEach } from '@jest/globals';
import nock from 'nock';

// No test of this suite leaves the machine; every interceptor a test sets up must be used by it.
nock.disableNetConnect();
nock.enableNetConnect(/^(127\.0\.0\.1|localhost|\[?::1\]?)(:\d+)?$/);

afterEach(() => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  if (unused.length > 0) throw new Error(`interceptors never used: ${unused.join(', ')}`);
});

// Core modules are shared by all files of a worker: a patch left behind would lie under the next file's own.
afterAll(() => nock.restore());
