/* Orders and trades, each beside the other and beside the journal, with what every fill cost against the fill model. */

import {named} from './api.js';
import {button, element, fill} from './elements.js';
import {figure, money, percent, signed, time} from './format.js';
import {LongTable} from './tables.js';

const bps = one => (one === undefined || one === null ? '' : signed(one, 1));
const key = (instrument, ts) => `${ts} ${instrument}`;

/* Which orders made which trade: by instrument and the instant of the fill. */
export function linked(orders, fills, trades, slippage) {
  const cost = new Map(slippage.map(one => [one.order_id, one.cost_bps]));
  const fillOf = new Map(fills.map(one => [one.order_id, one]));
  const byFill = new Map(fills.map(one => [`${key(one.instrument, one.ts)} ${one.side}`, one.order_id]));
  const made = trades.map((one, number) => {
    const [entrySide, exitSide] = one.direction === 'LONG' ? ['BUY', 'SELL'] : ['SELL', 'BUY'];
    const entry = byFill.get(`${key(one.instrument, one.entry_ts)} ${entrySide}`);
    const exit = one.is_open ? undefined : byFill.get(`${key(one.instrument, one.exit_ts)} ${exitSide}`);
    return {...one, number: number + 1, entry, exit, entryBps: cost.get(entry), exitBps: cost.get(exit)};
  });
  const tradeOf = new Map(made.flatMap(one => [one.entry, one.exit].filter(Boolean).map(id => [id, one.number])));
  return {
    trades: made.reverse(),
    orders: orders.map(one => {
      const id = one.order_id;
      return {...one, fill: fillOf.get(id), costBps: cost.get(id), trade: tradeOf.get(id)};
    }).reverse(),
  };
}

const load = async ({api, name}) => {
  const [orders, fills, trades, slippage] = await Promise.all(
    ['orders', 'fills', 'trades', 'slippage'].map(what => api(`${named(name)}/${what}`)));
  return linked(orders, fills, trades, slippage);
};

/* Go to a row of a table that may be long. */
function reveal(table, fits) {
  table.reveal(fits);
  const at = table.rows.findIndex(fits);
  const row = at < 0 ? null : table.table.querySelectorAll('tbody tr')[at];
  if (!row) return;
  for (const one of table.table.querySelectorAll('.wb-marked')) one.classList.remove('wb-marked');
  row.classList.add('wb-marked');
  row.scrollIntoView({block: 'center'});
  (row.querySelector('button') || row).focus();
}

export class Orders {
  constructor({api, name, goTo, where}) {
    Object.assign(this, {api, name, wanted: null});
    const when = iso => time(iso, where());
    const trade = number => button(`trade ${number}`, () => goTo('trades', {trade: number}), {kind: 'wb-link'});
    const journal = order => button('rows', () => goTo('journal', {contains: order}), {
      kind: 'wb-link', name: `Journal of order ${order}`,
    });
    this.table = new LongTable(`Orders of ${name}, the newest first`, [
      {title: 'Decided', of: one => when(one.ts), isHead: true},
      {title: 'Order', of: one => `${one.side} ${figure(one.qty)} ${one.instrument}`},
      {title: 'Kind', of: one => one.kind},
      {title: 'Level', of: one => figure(one.stop_price ?? one.limit_price), isNumber: true},
      {title: 'Reason', of: one => one.reason},
      {title: 'Status', of: one => one.status},
      {title: 'Filled at', of: one => figure(one.fill?.price), isNumber: true},
      {title: 'Cost, bps', of: one => bps(one.costBps), isNumber: true},
      {title: 'Trade', of: one => (one.trade ? trade(one.trade) : '')},
      {title: 'Journal', of: one => journal(one.order_id)},
    ], {empty: 'No order yet.'});
    this.node = element('div', {}, this.table.node);
  }

  load() {
    return load(this);
  }

  show({orders}) {
    this.table.show(orders);
    if (this.wanted) reveal(this.table, one => one.order_id === this.wanted);
    this.wanted = null;
  }

  go({order}) {
    this.wanted = order;
  }
}

export class Trades {
  constructor({api, name, goTo, where}) {
    Object.assign(this, {api, name, wanted: null});
    const when = iso => time(iso, where());
    const order = (id, label) => (id ? button(label, () => goTo('orders', {order: id}), {kind: 'wb-link'}) : label);
    this.words = element('p', {class: 'wb-quiet'});
    this.table = new LongTable(`Trades of ${name}, the newest first`, [
      {title: 'No.', of: one => figure(one.number), isNumber: true, isHead: true},
      {title: 'Trade', of: one => `${one.direction} ${figure(one.qty)} ${one.instrument}`},
      {title: 'Entry', of: one => order(one.entry, when(one.entry_ts))},
      {title: 'at', of: one => figure(one.entry_price), isNumber: true},
      {title: 'Exit', of: one => (one.is_open ? 'open' : order(one.exit, when(one.exit_ts)))},
      {title: 'at', of: one => figure(one.exit_price), isNumber: true},
      {title: 'Reason', of: one => one.exit_reason},
      {title: 'Net', of: one => signed(one.net_pnl), isNumber: true},
      {title: 'Return', of: one => percent(one.return_frac), isNumber: true},
      {title: 'R', of: one => (one.r_multiple === null ? '' : signed(one.r_multiple)), isNumber: true},
      {title: 'Cost in, bps', of: one => bps(one.entryBps), isNumber: true},
      {title: 'Cost out, bps', of: one => bps(one.exitBps), isNumber: true},
    ], {empty: 'No trade yet.', marked: one => (one.is_open ? {class: 'wb-open-trade'} : {})});
    this.node = element('div', {}, this.words, this.table.node);
  }

  load() {
    return load(this);
  }

  show({trades}) {
    const ended = trades.filter(one => !one.is_open);
    const won = ended.filter(one => one.net_pnl > 0).length;
    const net = ended.reduce((sum, one) => sum + one.net_pnl, 0);
    fill(this.words, ended.length ? `${ended.length} ended, ${won} with a gain; ${money(net)} net. ` +
      'Cost is the fill against the fill model: above 0 is worse than the model.' : '');
    this.table.show(trades);
    if (this.wanted) reveal(this.table, one => one.number === this.wanted);
    this.wanted = null;
  }

  go({trade}) {
    this.wanted = trade;
  }
}
