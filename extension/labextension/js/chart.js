/* The equity chart as a Vega-Lite spec. Pure: data and colours in, plain data out. */

const ENTRY = 'entry';
const EXIT = 'exit';

/* The point of the curve that an instant falls on: the first one at or after it. */
function pointAt(points, instant) {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].at < instant) low = middle + 1;
    else high = middle;
  }
  return points[low];
}

/* Entries and exits of trades, on the curve; only those that the curve covers. */
export function marksOf(points, trades, most = 400) {
  if (!points.length) return [];
  const [first, last] = [points[0].at, points.at(-1).at];
  const marks = trades.flatMap(one => [
    {at: Date.parse(one.entry_ts), what: ENTRY, instrument: one.instrument, price: one.entry_price},
    ...(one.is_open ? [] : [{at: Date.parse(one.exit_ts), what: EXIT, instrument: one.instrument, price: one.exit_price}]),
  ]).filter(one => one.at >= first && one.at <= last);
  return marks.slice(-most).map(one => ({...one, equity: pointAt(points, one.at).equity}));
}

const CLOCK = {
  year: '%Y', quarter: '%b %Y', month: '%b %Y', week: '%d %b', date: '%d %b', day: '%d %b', hours: '%H:%M', minutes: '%H:%M',
  seconds: '%H:%M:%S',
};

const axis = colours => ({
  domainColor: colours.line, tickColor: colours.line, gridColor: colours.line, gridOpacity: 0.5,
  labelColor: colours.text, titleColor: colours.text,
});

/* `points` are {at, equity, drawdown_frac}; `colours` are {text, line, curve, down, entry, exit}. */
export function equitySpec(points, trades, {width, colours}) {
  const x = {field: 'at', type: 'temporal', axis: {title: null, format: CLOCK, labelOverlap: true, tickCount: 6}};
  const tip = [{field: 'at', type: 'temporal', title: 'time', format: '%Y-%m-%d %H:%M'}];
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: null,
    config: {view: {stroke: null}, axis: axis(colours), legend: {labelColor: colours.text, titleColor: colours.text}},
    data: {values: points},
    spacing: 8,
    vconcat: [
      {
        width, height: 220,
        layer: [
          {
            mark: {type: 'line', color: colours.curve, strokeWidth: 1.5, interpolate: 'step-after'},
            encoding: {
              x: {...x, axis: {...x.axis, labels: false, ticks: false}},
              y: {
                field: 'equity', type: 'quantitative', scale: {zero: false},
                axis: {title: 'Equity', format: ',.0f', tickCount: 5, minExtent: 60},
              },
              tooltip: [...tip, {field: 'equity', type: 'quantitative', format: ',.2f'}],
            },
          },
          {
            data: {values: marksOf(points, trades)},
            mark: {type: 'point', filled: true, size: 45, opacity: 0.9},
            encoding: {
              x: {field: 'at', type: 'temporal'},
              y: {field: 'equity', type: 'quantitative'},
              color: {
                field: 'what', type: 'nominal', scale: {domain: [ENTRY, EXIT], range: [colours.entry, colours.exit]},
                legend: {title: null, orient: 'top'},
              },
              shape: {field: 'what', type: 'nominal', scale: {domain: [ENTRY, EXIT], range: ['triangle-up', 'triangle-down']}},
              tooltip: [{field: 'what', title: 'mark'}, ...tip, {field: 'instrument'}, {field: 'price', type: 'quantitative'}],
            },
          },
        ],
      },
      {
        width, height: 80,
        mark: {type: 'area', color: colours.down, opacity: 0.45, interpolate: 'step-after', line: {color: colours.down, strokeWidth: 1}},
        encoding: {
          x, y: {field: 'drawdown_frac', type: 'quantitative', axis: {title: 'Drawdown', format: '.1%', tickCount: 3, minExtent: 60}},
          tooltip: [...tip, {field: 'drawdown_frac', title: 'drawdown', type: 'quantitative', format: '.2%'}],
        },
      },
    ],
  };
}
