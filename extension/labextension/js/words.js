/* What a person reads of the state of things, from what the server says. Pure. */

import {count, figure, time} from './format.js';

export const MARKS = {green: '●', amber: '▲', red: '■', grey: '○'};

/* Whether somebody has the database: a process of ours that has just been started has it only when its lease is its own, for
 * until then the lease may be that of the one that died. */
const isHeld = ({runner, hosting: {state, pid}}) =>
  Boolean(runner) && (state !== 'RUNNING' || !pid || new RegExp(`\\bpid ${pid}\\b`).test(runner));

/* Whether nobody evaluates anything now; a runner that has just died is known here before its lease ends. */
export const isDown = health => Boolean(health.database) || !isHeld(health) ||
  !['RUNNING', 'ATTACHED', 'WAITING'].includes(health.hosting.state);

/* What is the same for every row: whether there are news, and whether a runner is there. */
export const situationOf = live => ({isSilent: live.isStale, isDown: live.model.health === null || isDown(live.model.health)});

export const waits = one => one.status === 'ERROR' || one.runtime_state.startsWith('PAUSED_');
/* Stopped, while the broker's last word is awaited. */
export const stillListens = one => one.status === 'STOPPED' && (one.runtime_state === 'STOPPING' || waits(one));
export const isKilled = one => /^killed\b/.test(one.hindrance);
export const isGoing = one => one.status === 'RUNNING' && !one.runtime_state.startsWith('PAUSED_');

/* green: evaluated; amber: a person is waited for; red: broken or killed; grey: stopped or not evaluated. */
export function colour(one, {isSilent, isDown: down}) {
  if (isSilent) return 'grey';
  if (one.status === 'ERROR' || (isKilled(one) && one.status !== 'STOPPED')) return 'red';
  if (one.status === 'STOPPED') return 'grey';
  if (one.status === 'PAUSED' || one.runtime_state.startsWith('PAUSED_') || one.stale) return 'amber';
  return one.is_evaluated && !down ? 'green' : 'grey';
}

/* Never RUNNING for what is not evaluated, or of which there are no news. */
export function stateWords(one, {isSilent, isDown: down}) {
  if (isSilent) return 'NO NEWS';
  if (one.runtime_state.startsWith('PAUSED_') && one.status === 'RUNNING') return 'PAUSED';
  return one.status === 'RUNNING' && (down || !one.is_evaluated) ? 'NOT EVALUATED' : one.status;
}

export function runtimeWords(one) {
  if (one.runtime_state === 'WARMING_UP' && one.warm_up) return one.warm_up;
  return one.runtime_state === 'FLAT' ? 'flat' : one.runtime_state.replaceAll('_', ' ');
}

export const holdingWords = one =>
  `${one.instrument} ${figure(one.qty)} @ ${figure(one.entry_price)}${one.mark === null ? '' : `, now ${figure(one.mark)}`}`;

/* Levels that protect a position, and who enforces them. */
export function protectionWords(one) {
  const levels = [['stop', one.stop], ['target', one.target]].filter(([, level]) => level !== null)
    .map(([name, level]) => `${name} ${figure(level)}`);
  return levels.length ? `${levels.join(', ')} (${one.protected_by})` : 'no stop, no target';
}

/* What to do about a deployment that waits for a person. */
export const TO_DO = {
  PAUSED_DIRECTION_MISMATCH: 'Choose what becomes of that position. Nothing is evaluated until you do.',
  PAUSED_UNKNOWN_ORDER: 'An order was sent and never seen. Look at the broker whether it is there; then resume and say so.',
  PAUSED_RECONCILE: 'Look at position and orders at the broker. Put them right there if need be; then resume and say so.',
  ERROR: 'Nothing of it is evaluated. Put right what is said above and start the runner again, or stop it.',
};
export const OTHER_TO_DO = 'Look at position and orders at the broker; then resume and say so.';

const since = (iso, now) => `${Math.max(0, Math.round((now - Date.parse(iso)) / 1000))} s ago`;

/* What hinders everything, as [colour, words]; null when nothing does. */
function trouble(health, now) {
  const {state, attempt, since: changed, said} = health.hosting;
  if (health.database) return ['red', `database: ${health.database}`];
  if (state === 'RESTARTING') return ['red', `runner stopped ${since(changed, now)} — restarting (attempt ${attempt + 1})`];
  if (state === 'LOOK') return ['red', `runner ended, a person must look: ${said}`];
  if (state === 'ENDED') return ['grey', 'runner ended: its bars are at their end'];
  if (!isHeld(health)) return ['STARTING', 'RUNNING'].includes(state) ? ['amber', 'runner is starting'] : ['red', 'no runner is running'];
  if (health.kills.length) return ['red', `killed: ${health.kills.join('; ')}`];
  return null;
}

/* The whole in a line: colour, words, and when the next bar closes. */
export function headline(live) {
  const {model} = live;
  const now = live.serverNow();
  if (live.quiet === null) {
    return live.link === 'closed' && live.retryAt !== null ? {colour: 'red', text: 'the server does not answer, trying again'}
      : {colour: 'grey', text: 'connecting…'};
  }
  if (live.isStale) {
    const link = live.link === 'open' ? '' : ' The server does not answer, trying again.';
    return {colour: 'red', text: `no news for ${Math.round(live.quiet)} s.${link}`};
  }
  const found = trouble(model.health, now);
  if (found) return {colour: found[0], text: found[1]};
  const {evaluated, waiting, errors, stale, deployments, clock} = model.health;
  const needing = waiting.length + errors.length;
  const idle = deployments - evaluated - needing;
  const text = [
    `${evaluated} running`, needing ? `${needing} ${needing === 1 ? 'needs' : 'need'} you` : '',
    idle > 0 ? `${idle} not evaluated` : '', clock ? `stored bars of ${clock.slice(0, 10)}` : '',
    stale.length ? `data stale: ${some(stale)}` : '',
  ].filter(Boolean).join(' · ');
  return {colour: needing || stale.length ? 'amber' : 'green', text, next: model.health.next_evaluation};
}

/* The same without what counts on by the second, for whoever has it read aloud. */
export const spoken = text => text.replace(/ (for )?\d+ s\b( ago)?/, '');

/* The first few names of many. */
export const some = names => (names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', '));

/* "next bar 10:35:00 (42 s)", or nothing. */
export function nextBar(iso, now) {
  if (!iso) return '';
  const s = Math.max(0, Math.round((Date.parse(iso) - now) / 1000));
  const left = s < 3600 ? (s < 120 ? `${s} s` : `${Math.round(s / 60)} min`) : `${Math.round(s / 3600)} h`;
  return `next bar ${time(iso, {now, seconds: s < 3600})} (${left})`;
}

/* "RELIANCE 320 in 3 deployments". */
export const exposureWords = one => `${one.instrument} ${figure(one.qty)} in ${count(one.deployments.length, 'deployment')}`;
