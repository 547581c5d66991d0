import { describe } from '@jest/globals';
import { createSharedMemory } from '../../src/cache/index.js';
import { testSharedStore } from '../support/shared-store.js';

const store = createSharedMemory({ maxBytes: 2 ** 20 });

describe('what a process and its children share', () => testSharedStore(() => store));
