import { IncompleteAnswerError, ProblemError } from '../client/index.js';
import { byId, create } from './dom.js';
import { toText } from './texts.js';

export function hideProblem(): void {
  const box = byId('problem');
  box.hidden = true;
  box.replaceChildren();
}

/** What went wrong, in the words of whoever said it. */
export function showProblem(error: unknown): void {
  const box = byId('problem');
  box.replaceChildren(...toNodes(error));
  box.hidden = false;
  box.scrollIntoView({ block: 'nearest' });
}

function toNodes(error: unknown): Node[] {
  if (error instanceof IncompleteAnswerError) return [create('p', {}, toText('brokenOff'))];
  if (!(error instanceof ProblemError)) {
    const detail = error instanceof Error ? error.message : String(error);
    return [create('p', {}, toText('network')), create('p', { class: 'about' }, detail)];
  }
  const { problem, retryAfter } = error;
  const faults = (problem.errors ?? []).map(({ parameter, pointer, message }) => {
    const place = [parameter, pointer].filter(Boolean).join(' ');
    return create('li', {}, ...(place === '' ? [] : [create('code', {}, place), ' ']), message);
  });
  return [
    create('p', {}, create('strong', {}, `${problem.status} ${problem.title}`)),
    ...(faults.length > 0 ? [create('ul', {}, ...faults)] : [create('p', {}, problem.detail)]),
    ...(retryAfter === undefined ? [] : [create('p', {}, toText('retryAfter', { seconds: retryAfter }))]),
  ];
}
