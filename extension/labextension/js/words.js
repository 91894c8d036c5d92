/* What a person reads, from what the server says. Pure. */

export const KILL =
  'Stop all new orders and evaluations of every deployment? Protective orders and the forced flatten stay. ' +
  'Positions are not closed.';

export const PAUSE =
  'No evaluation and no new order until you resume. Stops, targets and the forced flatten stay. Bars that pass ' +
  'meanwhile update indicators and never open a position.';

export const RESUME = 'The next bar is evaluated again.';

export const STOP = 'It ends for good. While it holds a position this is refused: flatten it first, or keep the position.';

export const FLATTEN =
  'Every position is closed at the next open, entries are taken back, and it is paused. Stops and targets stay until then.';

export const CHOICES = [
  ['adopt', 'Adopt for exit only'], ['flatten', 'Flatten and continue'], ['stay', 'Stay paused'],
];

/* green: evaluated; amber: a person is waited for; red: broken or killed; grey: stopped or not evaluated. */
export function colour(one, isDown = false) {
  if (isDown && one.status === 'RUNNING') return 'grey';
  if (one.status === 'ERROR' || /^killed/.test(one.hindrance)) return 'red';
  if (one.status === 'STOPPED') return 'grey';
  if (one.status === 'PAUSED' || one.runtime_state.startsWith('PAUSED_') || one.stale) return 'amber';
  return one.is_evaluated ? 'green' : 'grey';
}

/* Never RUNNING for what is not evaluated; a runner that has just died is known here before its lease ends. */
export const state = (one, isDown = false) =>
  (one.status === 'RUNNING' && (isDown || !one.is_evaluated) ? 'NOT EVALUATED' : one.status);

/* Whether nobody evaluates anything now. */
export const isDown = health => Boolean(health.database) || !health.runner ||
  !['RUNNING', 'ATTACHED', 'WAITING'].includes(health.hosting.state);

export const signed = value => (value === null ? '' : `${value < 0 ? '−' : '+'}${Math.abs(value).toLocaleString(
  undefined, {maximumFractionDigits: 2})}`);

export function age(iso, now = Date.now()) {
  const s = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  return s < 120 ? `${s} s` : s < 7200 ? `${Math.round(s / 60)} min` : s < 172800 ? `${Math.round(s / 3600)} h`
    : `${Math.round(s / 86400)} d`;
}

export function lastEvaluation(one) {
  if (!one.last_evaluation) return 'not evaluated yet';
  const decided = [one.decision, one.reason].filter(Boolean).join(' ');
  return `last evaluation ${one.last_evaluation.slice(0, 16).replace('T', ' ')}Z ${decided}`;
}

/* The runner in a line: what it is, and since when. */
export function runner(health) {
  const {state: hosting, attempt, since_s: since, said} = health.hosting;
  if (health.database) return ['red', `database: ${health.database}`];
  if (hosting === 'RESTARTING') return ['red', `runner stopped ${Math.round(since)} s ago, starting again (attempt ${attempt + 1})`];
  if (hosting === 'LOOK') return ['red', `runner ended, a person must look: ${said}`];
  if (!health.runner) return ['red', hosting === 'STARTING' ? 'runner is starting' : 'no runner is running'];
  if (health.kills.length) return ['red', `killed: ${health.kills.join('; ')}`];
  if (health.stale.length) return ['amber', `data stale: ${health.stale.join(', ')}`];
  const waits = health.waiting.length ? ` · ${health.waiting.length} needs you` : '';
  return [waits ? 'amber' : 'green', `${health.evaluated} of ${health.deployments} evaluated${waits}`];
}
