import { readFileSync } from 'node:fs';
import { choose } from './choices.js';

process.stdout.write(JSON.stringify(choose(JSON.parse(readFileSync(new URL('choices.json', import.meta.url))))));
