export { type AnswersParts, createAnswers, type KeptPage } from './answers.js';
export { createShared, type SharedParts } from './shared.js';
