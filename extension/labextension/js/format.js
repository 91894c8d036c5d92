/* Numbers and times as people read them. Pure. */

const minus = text => text.replace('-', '−');
const formats = new Map();

function formatOf(kind, key, options) {
  const name = `${kind.name} ${key}`;
  if (!formats.has(name)) formats.set(name, new kind(kind === Intl.DateTimeFormat ? 'en-GB' : undefined, options));
  return formats.get(name);
}

const fixed = digits => formatOf(Intl.NumberFormat, `fixed ${digits}`,
  {minimumFractionDigits: digits, maximumFractionDigits: digits});
const upTo = digits => formatOf(Intl.NumberFormat, `upTo ${digits}`, {maximumFractionDigits: digits});

/* Money with its sign; empty when it is missing. */
export const signed = (value, digits = 2) => (value === null || value === undefined ? ''
  : `${value < 0 ? '−' : value > 0 ? '+' : ''}${fixed(digits).format(Math.abs(value))}`);
export const money = value => (value === null || value === undefined ? '' : minus(fixed(2).format(value)));
/* A price or a number of units: as many digits as it has, up to eight. */
export const figure = (value, digits = 8) => (value === null || value === undefined ? '' : minus(upTo(digits).format(value)));
export const percent = frac => (frac === null || frac === undefined ? '' : `${minus(fixed(2).format(100 * frac))} %`);

/* How long ago, or how far ahead, in words that change slowly. */
export function age(iso, now) {
  const ahead = Date.parse(iso) > now;
  const s = Math.round(Math.abs(now - Date.parse(iso)) / 1000);
  const text = s < 120 ? `${s} s` : s < 7200 ? `${Math.round(s / 60)} min` : s < 172800 ? `${Math.round(s / 3600)} h`
    : `${Math.round(s / 86400)} d`;
  return ahead ? `in ${text}` : `${text} ago`;
}

const DAY = {year: 'numeric', month: '2-digit', day: '2-digit'};

function parts(iso, zone, options) {
  try {
    return formatOf(Intl.DateTimeFormat, `${zone} ${JSON.stringify(options)}`, {timeZone: zone, ...options}).format(new Date(iso));
  } catch {
    return iso; // a zone that this browser does not know, or a time that is none
  }
}

const date = (iso, zone) => parts(iso, zone, DAY).split('/').reverse().join('-');

/* A time in the exchange's zone, or in the reader's own: the date only when it is another day. */
export function time(iso, {zone, now, seconds = false} = {}) {
  if (!iso) return '';
  const clock = parts(iso, zone, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(seconds ? {second: '2-digit'} : {})});
  const today = now !== undefined && date(iso, zone) === date(new Date(now).toISOString(), zone);
  return today ? clock : `${date(iso, zone)} ${clock}`;
}

/* From one time to another; the date of the second only when it is another day. */
export function stretch(from, to, where) {
  const isOneDay = date(from, where.zone) === date(to, where.zone);
  return `${time(from, where)} to ${time(to, isOneDay ? {...where, now: Date.parse(to)} : where)}`;
}

export const count = (number, noun, many = `${noun}s`) => `${figure(number)} ${number === 1 ? noun : many}`;
