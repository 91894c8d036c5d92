/* Summary: the last evaluation and the next, what is held and what protects it, money, limits. */

import {element, fill, keepingFocus} from './elements.js';
import {figure, money, signed, time} from './format.js';
import {factsOf, tableOf} from './tables.js';
import {timed} from './times.js';
import {protectionWords} from './words.js';

const HELD = [
  {title: 'Instrument', of: one => one.instrument, isHead: true},
  {title: 'Units', of: one => figure(one.qty), isNumber: true},
  {title: 'Entry', of: one => figure(one.entry_price), isNumber: true},
  {title: 'Last close', of: one => figure(one.mark), isNumber: true},
  {title: 'Unrealised', of: one => signed(one.unrealised_pnl), isNumber: true},
  {title: 'Protected by', of: one => protectionWords(one)},
];

const ORDERS = [
  {title: 'Since', of: one => one.when},
  {title: 'Order', of: one => `${one.side} ${figure(one.qty)} ${one.instrument}`, isHead: true},
  {title: 'Kind', of: one => one.kind},
  {title: 'Level', of: one => figure(one.price), isNumber: true},
  {title: 'Reason', of: one => one.reason},
];

const LIMITS = [
  {title: 'Limit', of: one => one.name.replaceAll('_', ' '), isHead: true},
  {title: 'Used', of: one => (one.used === null ? '' : `${figure(one.used)} of ${figure(one.allowed)}`), isNumber: true},
  {title: 'Allowed', of: one => figure(one.allowed), isNumber: true},
  {title: 'Set by', of: one => one.set_by || 'default'},
];

export class Summary {
  constructor({api}) {
    this.api = api;
    this.node = element('div', {class: 'wb-columns'});
  }

  async load() {
    return {limits: await this.api('limits')};
  }

  show({status, limits, zone, now}) {
    const at = iso => timed(iso, now, {zone});
    const bars = Object.entries(status.bars).map(([name, bar]) =>
      `${name} ${time(bar.ts, {zone, now})} O ${figure(bar.open)} H ${figure(bar.high)} L ${figure(bar.low)} C ${figure(bar.close)}`);
    const orders = status.orders.map(one => ({...one, when: time(one.ts, {zone, now})}));
    keepingFocus(this.node, () => fill(this.node,
      factsOf('Evaluation', [
        ['Last evaluation', at(status.last_evaluation) || 'none yet'],
        ['Decision', [status.decision, status.reason].filter(Boolean).join(', ')],
        ['Bar', bars.join('; ')], ['Next', next(status, at)], ['Warm-up', status.warm_up.text], ['Heartbeat', at(status.heartbeat)],
      ]),
      factsOf('Money', [
        ['Equity', money(status.equity)], ['Began with', money(status.initial_cash)], ['Realised', signed(status.realised_pnl)],
        ['Unrealised', signed(status.unrealised_pnl)], ['Cash', money(status.cash)], ['Trades', figure(status.n_trades)],
      ]),
      status.position.length ? tableOf('Position', HELD, status.position) : element('p', {class: 'wb-quiet'}, 'No position.'),
      orders.length ? tableOf('Orders at the broker', ORDERS, orders) : element('p', {class: 'wb-quiet'}, 'No working order.'),
      tableOf('Limits of the owner', LIMITS, limits)));
  }
}

function next(status, at) {
  if (!status.next_evaluations.length) return 'none';
  return element('span', {}, at(status.next_evaluations[0]), status.is_evaluated ? '' : ' — not while nothing evaluates it');
}
