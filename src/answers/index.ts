export { type AnswersParts, createAnswers, type KeptPage } from './answers.js';
