import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import { Turns, type TurnsOptions } from '../../src/identity/turns.js';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks that end when they are told to; who runs, who ran in which order, and who was refused. */
function newTurns(options: Partial<TurnsOptions> = {}) {
  const turns = new Turns({ atOnce: 1, waitingAtMost: 100, ...options });
  const running: string[] = [];
  const begun: string[] = [];
  const refused: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const task = (name: string) => () => {
    running.push(name);
    begun.push(name);
    return new Promise<string>((resolve, fail) =>
      ends.set(name, (error) => {
        running.splice(running.indexOf(name), 1);
        if (error === undefined) resolve(name);
        else fail(error);
      }),
    );
  };
  const noting = (name: string) => (error: unknown) => {
    if (error instanceof RefusalError) refused.push(name);
    return String(error);
  };
  const line = (key: string, name: string) => turns.inLine(key, task(name)).catch(noting(name));
  const ahead = (name: string, key = name) => turns.ahead(key, task(name)).catch(noting(name));
  const end = async (name = running[0] ?? '', error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await settled();
  };
  /** Who begins from now on, until nobody waits. */
  const rest = async (): Promise<readonly string[]> => {
    const before = begun.length;
    await settled();
    while (running.length > 0) await end();
    return begun.slice(before);
  };
  return { running, refused, line, ahead, end, rest };
}

describe('turns', () => {
  test('so many run at once, of one line in the order in which they came, whatever became of those before', async () => {
    const { running, line, end } = newTurns({ atOnce: 2 });
    const all = ['a', 'b', 'c', 'd'].map((name) => line('k', name));
    await settled();
    expect(running).toEqual(['a', 'b']);
    await end('b', new Error('wrong'));
    expect(running).toEqual(['a', 'c']);
    await end('a');
    expect(running).toEqual(['c', 'd']);
    await end('c');
    await end('d');
    expect(await Promise.all(all)).toEqual(['a', 'Error: wrong', 'c', 'd']);
  });

  test('go round the lines, however long one is', async () => {
    const { line, rest } = newTurns();
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) void line(name.slice(0, 1), name);
    expect(await rest()).toEqual(['a1', 'a2', 'b1', 'a3', 'c1', 'b2', 'a4']);
  });

  test('come to a new line before the next of those that had one', async () => {
    const { line, rest, end } = newTurns();
    for (const key of ['a', 'b', 'c']) for (let index = 0; index < 10; index += 1) void line(key, `${key}${index}`);
    await settled();
    for (let index = 0; index < 5; index += 1) await end();
    void line('new', 'new');
    const then = await rest();
    expect(then.indexOf('new')).toBeLessThan(2);
  });

  test('come to the old lines, too, when new ones never end', async () => {
    const { running, line, end } = newTurns();
    for (const name of ['old 1', 'old 2', 'old 3']) void line('old', name);
    await settled();
    const begun: (string | undefined)[] = [];
    for (let index = 0; index < 8; index += 1) {
      void line(`new ${index}`, `new ${index}`);
      void line(`newer ${index}`, `newer ${index}`);
      await end();
      begun.push(running[0]);
    }
    expect(begun).toContain('old 2');
    expect(begun).toContain('old 3');
  });

  test('are not taken by who comes one by one before others that wait', async () => {
    const { running, line, end } = newTurns();
    void line('one', 'one 0');
    for (const key of ['a', 'b']) for (let index = 0; index < 4; index += 1) void line(key, `${key}${index}`);
    await settled();
    const begun: (string | undefined)[] = [];
    for (let index = 1; index < 9; index += 1) {
      void line('one', `one ${index}`);
      await end();
      begun.push(running[0]);
    }
    expect(begun.filter((name) => name?.startsWith('one')).length).toBeLessThan(4);
  });

  test('of those ahead wait for no line, but for what runs', async () => {
    const { running, line, ahead, end, rest } = newTurns({ atOnce: 2 });
    for (const name of ['a1', 'a2', 'a3']) void line('a', name);
    await settled();
    expect(running).toEqual(['a1', 'a2']);
    for (const name of ['x', 'y', 'z']) void ahead(name);
    await end('a1');
    expect(running).toEqual(['a2', 'x']);
    expect(await rest()).toEqual(['y', 'z', 'a3']);
  });

  test('of those ahead one has not all places', async () => {
    const { refused, ahead, rest } = newTurns();
    for (let index = 0; index <= 9; index += 1) void ahead(`own ${index}`, 'own');
    void ahead('other');
    expect(await rest()).toContain('other');
    expect(refused).toEqual(['own 9']);
  });

  test('beyond what may wait, the longest line gives way with its last, and who is the longest is refused', async () => {
    const { refused, line, rest } = newTurns({ waitingAtMost: 6 });
    void line('running', 'running');
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2']) void line(name.slice(0, 1), name);
    await settled();
    void line('a', 'a5');
    void line('c', 'c1');
    void line('c', 'c2');
    void line('d', 'd1');
    await settled();
    expect(refused).toEqual(['a5', 'a4', 'a3', 'a2']);
    expect((await rest()).toSorted()).toEqual(['a1', 'b1', 'b2', 'c1', 'c2', 'd1']);
  });

  test('beside as many lines as may wait there is none for another, until one has had it', async () => {
    const { refused, line, end, rest } = newTurns({ waitingAtMost: 2 });
    for (const name of ['running', 'a', 'b', 'c']) void line(name, name);
    await settled();
    expect(refused).toEqual(['c']);
    await end();
    void line('c', 'c again');
    expect(await rest()).toEqual(['b', 'c again']);
    expect(refused).toEqual(['c']);
  });

  test('of those ahead as many may wait, whatever waits in lines', async () => {
    const { refused, line, ahead, rest } = newTurns({ atOnce: 2, waitingAtMost: 2 });
    for (const name of ['a', 'b', 'c']) void line(name, name);
    for (const name of ['x', 'y', 'z', 'more']) void ahead(name);
    await settled();
    expect(refused).toEqual(['z', 'more']);
    expect(await rest()).toEqual(['x', 'y', 'c']);
  });

  test('come to everybody who is not refused, never more at once than may', async () => {
    const step = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant('ahead'), fc.constant('end'));
    const options = fc.record({
      atOnce: fc.integer({ min: 2, max: 3 }),
      waitingAtMost: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { maxLength: 40 }), async (given, steps) => {
        const { running, refused, line, ahead, end, rest } = newTurns(given);
        const all: Promise<string>[] = [];
        for (const [index, one] of steps.entries()) {
          if (one === 'end') await end();
          else all.push(one === 'ahead' ? ahead(`ahead ${index}`) : line(one, `${one} ${index}`));
          await settled();
          expect(running.length).toBeLessThanOrEqual(given.atOnce);
        }
        await rest();
        const done = (await Promise.all(all)).filter((name) => !name.startsWith('RefusalError') && !name.startsWith('Error'));
        expect(done.length + refused.length).toBe(all.length);
      }),
      { numRuns: 60 },
    );
  });
});
