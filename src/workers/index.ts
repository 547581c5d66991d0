export { startWorkers } from './primary.js';
export { connectToPrimary, type Primary } from './worker.js';
