import { distribution, dockerRegistry } from './distribution.js';
import { ours } from './ours.js';
import { zot } from './zot.js';

export { ours };

/** In the order of the table's columns. @type {readonly import('../registry.js').Kind[]} */
export const targets = [ours, dockerRegistry, distribution, zot];
