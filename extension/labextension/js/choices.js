/* Which deployments are shown, and in which order. Pure. */

import {isGoing, stateWords, waits} from './words.js';

export const STATES = [
  ['', 'state', () => true],
  ['needs', 'needs you', waits],
  ['running', 'running', (one, situation) => stateWords(one, situation) === 'RUNNING'],
  ['idle', 'not evaluated', (one, situation) => isGoing(one) && stateWords(one, situation) !== 'RUNNING'],
  ['holding', 'in position', one => one.holdings.length > 0],
  ['paused', 'paused', one => one.status === 'PAUSED'],
  ['stopped', 'stopped', one => one.status === 'STOPPED'],
];

const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const descending = (a, b) => (b ?? -Infinity) - (a ?? -Infinity) || 0;
const instant = iso => (iso ? Date.parse(iso) : null);
const RANKS = ['ERROR', 'PAUSED', 'NOT EVALUATED', 'NO NEWS', 'RUNNING', 'STOPPED'];

export const SORTS = [
  ['name', 'by name', byName],
  ['pnl', 'by P&L', (a, b) => descending(a.pnl, b.pnl) || byName(a, b)],
  ['last', 'by last evaluation', (a, b) => descending(instant(a.last_evaluation), instant(b.last_evaluation)) || byName(a, b)],
  ['state', 'by state', (a, b, situation) =>
    RANKS.indexOf(stateWords(a, situation)) - RANKS.indexOf(stateWords(b, situation)) || byName(a, b)],
];

/* Deployments that fit {text, mode, state}, sorted. */
export function chosen(rows, {text, mode, state, sort}, situation) {
  const wanted = text.trim().toLowerCase();
  const [, , fits] = STATES.find(([name]) => name === state);
  const [, , compare] = SORTS.find(([name]) => name === sort);
  return rows
    .filter(one => (!mode || one.mode === mode) && fits(one, situation))
    .filter(one => !wanted || [one.name, one.strategy, one.version, one.status, one.runtime_state, one.position, one.hindrance]
      .join(' ').toLowerCase().includes(wanted))
    .sort((a, b) => compare(a, b, situation));
}
