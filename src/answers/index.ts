export { type AnswerEvent, type AnswersParts, createAnswers, type KeptPage } from './answers.js';
