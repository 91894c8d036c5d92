/* What a person does: asked first, then sent, then told what came of it. */

import {named} from './api.js';
import {CHOICES, armAsk, askOf, flattenAsk, killAsk} from './asks.js';
import {count} from './format.js';
import {holdingWords, isGoing, stillListens} from './words.js';

const QUIET = new Set(['EVALUATED', 'BAR_CLOSED_RECEIVED', 'BAR_WARMED']);

/* What has happened to a deployment since it was paused, from the newest rows of its journal. */
export function sinceWords(rows) {
  const at = rows.findIndex(row => row.kind === 'PAUSED');
  const meanwhile = at < 0 ? rows : rows.slice(0, at);
  const counts = new Map();
  for (const row of meanwhile) {
    const kind = QUIET.has(row.kind) ? 'bar' : row.kind;
    counts.set(kind, (counts.get(kind) || 0) + 1);
  }
  const bars = counts.get('bar') || 0;
  counts.delete('bar');
  const told = [...counts].map(([kind, number]) => `${number} ${kind}`);
  return `Since it was paused: ${[...told, bars ? count(bars, 'bar') : ''].filter(Boolean).join(', ') || 'nothing'}.`;
}

/* `ask(ask, place)` gives an answer or null, `tell(kind, text)` says what came of it. */
export class Actions {
  constructor({api, ask, tell, live}) {
    Object.assign(this, {api, ask, tell, live});
  }

  async send(path, body) {
    try {
      const reply = await this.api(path, body);
      this.tell(reply.is_done ? 'success' : 'warning', reply.text);
    } catch (error) {
      this.tell('error', error.message);
    }
  }

  /* Do something to one deployment; `place` is where it was asked. */
  async act(verb, one, more = {}, place = null) {
    const since = verb === 'resume' ? await this.since(one) : '';
    const answer = await this.ask(askOf(verb, one, {...more, since}), place);
    if (answer === null) return;
    const {position, ...values} = answer.values;
    const path = `${named(one.name)}/`;
    if (position === 'flatten') await this.send(`${path}flatten`, values);
    else if (position) await this.send(`${path}stop`, {...values, keep: true, keep_protective: position === 'protected'});
    else if (verb === 'release') await this.send(`${path}stop`, {...values, keep: true});
    else await this.send(path + verb, {...more, ...values});
  }

  async since(one) {
    try {
      return sinceWords(await this.api(`${named(one.name)}/journal?limit=200`));
    } catch {
      return ''; // resuming is possible without it
    }
  }

  /* The kill switch of everything. */
  async kill() {
    const rows = [...this.live.model.deployments.values()];
    const answer = await this.ask(killAsk(rows.filter(one => one.status !== 'STOPPED').length), null);
    if (answer === null) return;
    const {why} = answer.values;
    if (answer.key === 'kill') {
      await this.send('kill', {why});
      return;
    }
    const held = rows.flatMap(one => one.holdings.map(each => `${one.name}: ${holdingWords(each)}`)).join('; ');
    const sure = await this.ask(flattenAsk(held), null);
    if (sure !== null) await this.send('kill', {why, flatten: true, confirm: sure.values.confirm});
  }

  async arm() {
    const answer = await this.ask(armAsk(), null);
    if (answer !== null) await this.send('arm', answer.values);
  }
}

const MISMATCH = 'PAUSED_DIRECTION_MISMATCH';

/* What can be done with a deployment now, as [label, verb, more]. */
export function verbsOf(one) {
  if (one.status === 'STOPPED') return stillListens(one) ? [['Let go', 'release', {}]] : [];
  return [[isGoing(one) ? 'Pause' : 'Resume', isGoing(one) ? 'pause' : 'resume', {}], ['Flatten', 'flatten', {}], ['Stop', 'stop', {}]];
}

/* What a card offers that asks for a person. */
export function answersOf(one) {
  if (one.runtime_state === MISMATCH) return CHOICES.map(([choice, label]) => [label, 'resolve', {choice}]);
  return verbsOf(one).filter(([, verb]) => verb !== 'resume' || one.status !== 'ERROR');
}
