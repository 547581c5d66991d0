export { type AnswersParts, createAnswers, type KeptPage } from './answers.js';
export { createShared, type SharedEvent, type SharedParts } from './shared.js';
