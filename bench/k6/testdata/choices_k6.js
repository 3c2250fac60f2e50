import { choose } from './choices.js';

const cases = JSON.parse(open('./choices.json'));

export default function () {}

export function handleSummary() {
  return { stdout: JSON.stringify(choose(cases)) };
}
