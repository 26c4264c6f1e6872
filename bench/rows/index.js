import { imagePush } from './image-push.js';
import { lists } from './lists.js';
import { bigMemory, memory } from './memory.js';
import { pulls } from './pull.js';
import { pushes } from './push.js';
import { retag } from './retag.js';
import { smallReads } from './small-reads.js';

/** In the order of the table. @type {readonly import('./row.js').Row[]} */
export const rows = [...smallReads, ...pushes, ...pulls, imagePush, retag, ...lists, memory, bigMemory];
