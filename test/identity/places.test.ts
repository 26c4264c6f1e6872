import { expect, test } from 'vitest';

import { Places } from '../../src/identity/places.js';

/** Tasks that end when they are told to, and who is running. */
function newPlaces(atOnce: number, waiting: number) {
  const running: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const places = new Places(atOnce, waiting, () => {
    throw new Error('full');
  });
  const hold = (key: string, name: string) =>
    places.hold(key, () => {
      running.push(name);
      return new Promise<string>((resolve, fail) =>
        ends.set(name, (error) => {
          running.splice(running.indexOf(name), 1);
          if (error === undefined) resolve(name);
          else fail(error);
        }),
      );
    });
  const end = async (name: string, error?: Error): Promise<void> => {
    ends.get(name)?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { running, hold, end };
}

test('so many run at once, the next in the order in which they came, whatever became of those before', async () => {
  const { running, hold, end } = newPlaces(2, 2);
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => hold('k', name));
  expect(running).toEqual(['a', 'b']);
  await expect(hold('k', 'e')).rejects.toThrow('full');
  await Promise.all([expect(b).rejects.toThrow('wrong'), end('b', new Error('wrong'))]);
  expect(running).toEqual(['a', 'c']);
  await end('a');
  expect(running).toEqual(['c', 'd']);
  await end('c');
  await end('d');
  expect(await Promise.all([a, c, d])).toEqual(['a', 'c', 'd']);
});

test('keys do not wait for each other, and a place that was given back is free', async () => {
  const { running, hold, end } = newPlaces(1, 0);
  void hold('k', 'a');
  void hold('l', 'b');
  expect(running).toEqual(['a', 'b']);
  await end('a');
  void hold('k', 'c');
  expect(running).toEqual(['b', 'c']);
});
