/* Rows of the journal in words, and long stretches in which nothing was done as one row. Pure. */

import {count, figure, signed} from './format.js';

const IDLE = new Set(['ENTRY_FALSE', 'EXIT_FALSE', 'WARMING_UP', 'NO_BAR', '']);
const BARS = new Set(['BAR_CLOSED_RECEIVED', 'BAR_WARMED']);

/* Whether a row tells of nothing that anybody need look at. */
export function isQuiet({kind, body}) {
  if (body.held_back || body.stale) return false;
  return BARS.has(kind) || (kind === 'EVALUATED' && (body.decisions || []).every(([, decision]) => IDLE.has(decision)));
}

/* Rows, and in the place of two or more quiet ones {rows, words}: newest first, as they came. */
export function folded(rows) {
  const out = [];
  for (const row of rows) {
    const last = out.at(-1);
    if (isQuiet(row) && last && last.rows) last.rows.push(row);
    else out.push(isQuiet(row) ? {rows: [row]} : row);
  }
  return out.map(one => (one.rows && one.rows.length === 1 ? one.rows[0] : one));
}

/* "12 evaluations, no action". */
export function foldWords(rows) {
  const evaluated = rows.filter(row => row.kind === 'EVALUATED').length;
  return evaluated ? `${count(evaluated, 'evaluation')}, no action` : `${count(rows.length, 'bar')}, nothing to evaluate`;
}

export const kindWords = kind => kind.toLowerCase().replaceAll('_', ' ');

const order = body => [body.side > 0 ? 'BUY' : body.side < 0 ? 'SELL' : '', figure(body.qty), body.instrument, body.kind,
  body.price === null || body.price === undefined ? '' : `at ${figure(body.price)}`, body.reason].filter(Boolean).join(' ');

const BY_KIND = {
  EVALUATED: body => (body.decisions || [])
    .map(([instrument, decision, , reason]) => [instrument, decision, reason].filter(Boolean).join(' ')).join('; '),
  TRADE_CLOSED: body => `${body.direction > 0 ? 'LONG' : 'SHORT'} ${figure(body.qty)} ${body.instrument}, ${figure(body.entry_price)} to ` +
    `${figure(body.exit_price)}, ${signed(body.gross_pnl - body.charges)}, ${body.exit_reason}`,
};

/* A row in a line. */
export function rowWords({kind, body}) {
  if (BY_KIND[kind]) return BY_KIND[kind](body);
  if (body.cid && body.instrument) return order(body);
  if (body.who || body.why) return [body.who ? `by ${body.who}` : '', body.why, body.choice].filter(Boolean).join(': ');
  return Object.entries(body).filter(([, value]) => ['string', 'number'].includes(typeof value) && String(value).length < 40)
    .slice(0, 4).map(([name, value]) => `${name} ${value}`).join(', ');
}
