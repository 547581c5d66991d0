import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createBudget, createCircuit, createPauses } from '../../src/limits/index.js';

describe('a budget of retries', () => {
  test('grows with requests, and allows a fifth of them beyond a small reserve', () => {
    const budget = createBudget(0.2);
    let spent = 0;
    for (let k = 0; k < 1000; k += 1) {
      budget.earn();
      if (budget.spend()) spent += 1;
    }
    expect(spent).toBeGreaterThanOrEqual(200);
    expect(spent).toBeLessThanOrEqual(211);
  });

  test('a calm hour leaves no more than a few of them for a storm', () => {
    const budget = createBudget(0.2);
    for (let k = 0; k < 100_000; k += 1) budget.earn();
    let spent = 0;
    while (budget.spend()) spent += 1;
    expect(spent).toBe(50);
  });
});

describe('a circuit', () => {
  const create = () =>
    createCircuit<string>({
      isFailure: (error) => (error as Error).message === 'down',
      isFailedResult: (result) => result === '503',
    });
  const fail = (circuit: ReturnType<typeof create>) =>
    circuit
      .execute(async () => {
        throw new Error('down');
      })
      .catch((error: Error) => error.message);

  test('opens when most fail, and says how long it is open', async () => {
    const circuit = create();
    for (let k = 0; k < 19; k += 1) await (k % 2 ? fail(circuit) : circuit.execute(async () => '503'));
    expect(circuit.state).toBe('closed');
    await fail(circuit);
    expect(circuit.state).toBe('open');
    let isAsked = false;
    const asking = circuit.execute(async () => {
      isAsked = true;
    });
    const refused = { kind: 'unavailable', headers: { 'Retry-After': '5' } };
    await expect(asking).rejects.toMatchObject(refused);
    expect(() => circuit.check()).toThrow(expect.objectContaining(refused));
    expect(isAsked).toBe(false);
  });

  test('stays closed where one in eight fails, or half, and where the fault is the caller\u2019s', async () => {
    for (const every of [8, 2]) {
      const circuit = create();
      for (let k = 0; k < 400; k += 1)
        await (k % every === 0 ? fail(circuit) : circuit.execute(async () => ''));
      expect(circuit.state).toBe('closed');
    }
    const circuit = create();
    const leave = () =>
      circuit
        .execute(async () => {
          throw new Error('left');
        })
        .catch(() => {});
    for (let k = 0; k < 100; k += 1) await leave();
    expect(circuit.state).toBe('closed');
  });
});

describe('a pause', () => {
  test('holds for whom the upstream said it, no longer than a minute, and tells all of its word', async () => {
    const pauses = createPauses();
    pauses.begin('a', 86_400);
    expect(pauses.of('a')).toMatchObject({ seconds: 86_400 });
    expect(pauses.of('a')?.waitMs).toBeLessThanOrEqual(60_000);
    expect(pauses.of('b')).toBeUndefined();
    pauses.begin('b', 0.05);
    expect(pauses.of('b')).toMatchObject({ seconds: 1 });
    await sleep(60);
    expect(pauses.of('b')).toBeUndefined();
  });
});
