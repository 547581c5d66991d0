export { createBudget } from './budget.js';
export { type Circuit, createCircuit } from './circuit.js';
export { createGate, type Gate, type Place, toBusyError } from './gate.js';
export { createPauses } from './pauses.js';
export { createRateShare, type RateShare, type SharedRate } from './rate-share.js';
