export { type AnswersParts, type AnswersSource, createAnswers, type KeptPage } from './answers.js';
export { askRelay, listenForRelays, type Underway } from './relay.js';
export { createShared, type Relay, type SharedParts } from './shared.js';
