/* What a row of the journal rests on: the bar, the value of every node, the rule, and the orders that it caused. */

import {named} from './api.js';
import {button, element} from './elements.js';
import {kindWords} from './folding.js';
import {figure, time} from './format.js';
import {factsOf, tableOf} from './tables.js';

const NS_PER_MS = 1e6;
const CAUSED = new Set([
  'ORDER_INTENT_CREATED', 'PROTECTIVE_SET', 'PROTECTIVE_MOVED', 'ORDER_CANCELLED', 'ORDER_REST_CANCELLED', 'RISK_EXIT_TRIGGERED',
]);

const at = (ns, where) => time(new Date(ns / NS_PER_MS).toISOString(), where);

/* Times of a body are nanoseconds; all else is shown as it stands. */
const plain = (name, value, where) => (/(_ns|^open)$/.test(name) && Number.isFinite(value) && value > NS_PER_MS ? at(value, where)
  : typeof value === 'object' && value !== null ? JSON.stringify(value) : typeof value === 'number' ? figure(value) : String(value));

function nodesOf(row, nodes) {
  const {decisions = [], values = []} = row.body;
  const title = number => `Values of the expressions: ${decisions[number]?.[0] || `instrument ${number + 1}`}`;
  return values.map((one, instrument) => tableOf(title(instrument), [
    {title: 'Node', of: each => each.text, isHead: true},
    {title: 'Value', of: each => (each.value === null ? 'missing' : figure(each.value)), isNumber: true},
  ], one.map((value, number) => ({text: nodes[number] || `node ${number + 1}`, value}))));
}

/* The evidence of a row as a node; `goTo(tab, what)` goes elsewhere, `nodes` are the texts of the expressions. */
export async function evidenceOf(row, {api, name, where, nodes, goTo}) {
  const {body} = row;
  const shown = new Set(['values', 'decisions']);
  const parts = [];
  if (body.decisions) {
    parts.push(tableOf('Decisions', [
      {title: 'Instrument', of: one => one[0], isHead: true}, {title: 'Decision', of: one => one[1]},
      {title: 'Entry', of: one => one[2]}, {title: 'Reason', of: one => one[3]},
    ], body.decisions));
  }
  if (body.values) parts.push(...nodesOf(row, nodes));
  if (row.kind === 'EVALUATED') {
    const caused = await causedBy(row, api, name);
    parts.push(element('p', {}, caused.length ? 'Orders that it caused:' : 'It caused no order.'),
      ...caused.map(one => orderButton(one, goTo)));
  } else if (body.cid) {
    parts.push(orderButton(row, goTo));
  }
  parts.push(factsOf('As it was written', [
    ['about', time(row.instant, where)], ['written', time(row.at, where)], ['number', figure(row.seq)],
    ...Object.entries(body).filter(([key]) => !shown.has(key)).map(([key, value]) => [key, plain(key, value, where)]),
  ]));
  return element('div', {class: 'wb-evidence'}, ...parts);
}

const orderButton = (row, goTo) => button(
  `${kindWords(row.kind)}: order ${row.body.cid}`, () => goTo('orders', {order: row.body.cid}), {kind: 'wb-link'});

/* Rows right after an evaluation, of the same instant, that tell of orders. */
async function causedBy(row, api, name) {
  const next = await api(`${named(name)}/journal?before=${row.seq + 20}&limit=19`);
  return next.filter(one => one.seq > row.seq && one.instant === row.instant && CAUSED.has(one.kind) && one.body.cid).reverse();
}
