/* What is asked before something is done: what it keeps and cancels, and what a person must say. Pure. */

import {figure} from './format.js';
import {protectionWords} from './words.js';

const why = required => ({
  name: 'why', kind: 'text', label: required ? 'Why? (for the journal)' : 'Why? (optional, for the journal)',
  fault: required ? 'Say why: it is written into the journal.' : '',
});

/* What protects the positions of a deployment, as it is kept. */
function kept(one) {
  const levels = one.holdings.map(held => `${held.instrument}: ${protectionWords(held)}`);
  return levels.length ? `Kept: ${levels.join('; ')}; and the forced flatten.` : 'It holds nothing now.';
}

const held = one => one.holdings.map(each => `${figure(each.qty)} ${each.instrument}, ${protectionWords(each)}`).join('; ');
const closing = one => one.holdings
  .map(each => `${each.qty > 0 ? 'SELL' : 'BUY'} ${figure(Math.abs(each.qty))} ${each.instrument}`).join(', ');

const pause = one => ({
  says: ['No evaluation and no new order until you resume.', kept(one),
    'Bars missed while paused update indicators and never open a position.'],
  fields: [why(false)], accepts: [{label: 'Pause'}],
});

/* `since` is what has happened meanwhile, in words. */
function resume(one, {since}) {
  const looks = one.runtime_state.startsWith('PAUSED_');
  return {
    says: ['The next bar is evaluated again.', looks ? `It is ${one.runtime_state}: ${one.hindrance}` : '', since, kept(one)],
    fields: [
      ...(looks ? [{
        name: 'acknowledged', kind: 'tick', label: 'I have looked at position and orders at the broker.',
        fault: 'Look at the broker first, then tick this.',
      }] : []), why(false),
    ],
    accepts: [{label: 'Resume'}],
  };
}

function stop(one) {
  if (!one.holdings.length) {
    return {
      says: ['It ends for good: it cannot be resumed. It holds nothing; entries that work are cancelled.'],
      fields: [why(false)], accepts: [{label: 'Stop', isWarning: true}],
    };
  }
  return {
    says: ['It ends for good: it cannot be resumed.', `It holds ${held(one)}.`],
    fields: [{
      name: 'position', kind: 'choice', label: 'What becomes of the position?', fault: 'Choose what becomes of the position.',
      options: [
        ['flatten', 'Flatten first: it is closed at the next open and the deployment is paused. Stop it when it is flat.'],
        ['protected', 'Keep it, and its stops and targets. Nobody manages it any more.'],
        ['bare', 'Keep it, and cancel its stops and targets. Nothing protects it any more.'],
      ],
    }, why(false)],
    accepts: [{label: 'Stop', isWarning: true}],
  };
}

const flatten = one => ({
  says: [one.holdings.length ? `Closed at the next open: ${closing(one)}.` : 'It holds nothing; entries that work are taken back.',
    'It is paused. Stops and targets stay until the exits have filled.'],
  fields: [why(false)], accepts: [{label: 'Flatten', isWarning: true}],
});

/* The three choices beside a position of the other direction: name, button, what it means. */
export const CHOICES = [
  ['adopt', 'Adopt for exit only', 'It takes the position over at its average price, without the market, and only exits it.'],
  ['flatten', 'Flatten and continue', 'That position is closed at the next open; then this deployment goes on.'],
  ['stay', 'Stay paused', 'Nothing is closed, and nothing is evaluated until you choose anew.'],
];

function resolve(one, {choice}) {
  const [, label, text] = CHOICES.find(([name]) => name === choice);
  return {title: `${label}: ${one.name}?`, says: [text, one.hindrance], fields: [why(false)], accepts: [{label}]};
}

const kill = one => ({
  says: ['No evaluation and no entry until it is armed again. Protective orders and the forced flatten stay. ' +
    'Positions are not closed.', kept(one)],
  fields: [why(true)], accepts: [{label: 'Kill', isWarning: true}],
});

const arm = () => ({
  says: ['The kill is lifted: what runs is evaluated again.'], fields: [why(true)], accepts: [{label: 'Arm'}],
});

const release = one => ({
  says: ['It is stopped and still listens to the broker.', one.hindrance,
    'What is there is kept, and nobody manages it. Look at position and orders at the broker first.'],
  fields: [why(false)], accepts: [{label: 'Let go', isWarning: true}],
});

const OF_ONE = {pause, resume, stop, flatten, resolve, release, kill, arm};

/* What is asked before a verb is applied to a deployment. */
export const askOf = (verb, one, more = {}) => ({
  title: `${verb[0].toUpperCase()}${verb.slice(1)} ${one.name}?`, ...OF_ONE[verb](one, more),
});

export const KILL = 'Protective orders and forced flattening stay. Positions are not closed.';

/* Before everything is killed. */
export const killAsk = deployments => ({
  title: 'Kill switch',
  says: [`Stop all new orders and evaluations for ${deployments === 1 ? '1 deployment' : `${deployments} deployments`}? ${KILL}`],
  fields: [why(true)],
  accepts: [{key: 'kill', label: 'Kill', isWarning: true}, {key: 'flatten', label: 'Kill and flatten all…', isWarning: true}],
});

export const WORD = 'FLATTEN';

export const flattenAsk = holding => ({
  title: 'Kill and flatten all?',
  says: ['All new orders and evaluations stop, and every position is closed at the next open:', holding || 'nothing is held now.',
    'Stops and targets stay until the exits have filled.'],
  fields: [{
    name: 'confirm', kind: 'word', word: WORD, label: `Type ${WORD} to confirm`, fault: `Nothing is done until you type ${WORD}.`,
  }],
  accepts: [{key: 'flatten', label: 'Kill and flatten all', isWarning: true}],
});

export const armAsk = () => ({title: 'Arm?', ...arm()});
