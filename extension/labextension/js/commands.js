/* The commands: in the palette, in the menu, and by buttons. */

import {KILL} from './asks.js';
import {isGoing} from './words.js';

/* The deployment that a command is about: the one named, the one whose detail is open, or one that is asked for. */
function targetOf(page, {hands, details}) {
  const {InputDialog} = page['@jupyterlab/apputils'];
  const {deployments} = hands.live.model;
  return async ({name} = {}) => {
    const known = name || details.current();
    if (known) return known;
    const items = [...deployments.keys()].sort();
    if (!items.length) return null;
    return (await InputDialog.getItem({title: 'Which deployment?', items})).value;
  };
}

export function commandsOf(app, page, {hands, details, icon, palette, showSidebar, start}) {
  const {live, actions} = hands;
  const target = targetOf(page, {hands, details});
  const current = () => live.model.deployments.get(details.current());
  const apply = verb => async args => {
    const one = live.model.deployments.get(await target(args));
    if (one) await actions.act(verb, one);
  };
  const ask = async args => {
    const name = args.name || (await target({name: ''}));
    if (name) details.open(name);
  };
  const going = one => one !== undefined && isGoing(one);
  const paused = one => one !== undefined && one.status !== 'STOPPED' && !isGoing(one);
  const commands = [
    ['workbench:open', {label: 'Show the deployments', caption: 'The sidebar of deployments', execute: showSidebar, icon}],
    ['workbench:start', {
      label: args => (args.isPalette ? 'Open the start notebook' : 'Workbench'), caption: 'Backtest a strategy and deploy it',
      execute: start, icon,
    }],
    ['workbench:detail', {label: 'Open a deployment…', caption: 'Summary, equity, journal, orders, trades, diagnostics', execute: ask}],
    ['workbench:pause', {
      label: 'Pause the open deployment…', execute: apply('pause'), isEnabled: args => Boolean(args.name) || going(current()),
    }],
    ['workbench:resume', {
      label: 'Resume the open deployment…', execute: apply('resume'), isEnabled: args => Boolean(args.name) || paused(current()),
    }],
    ['workbench:kill', {label: 'Kill switch…', caption: KILL, execute: () => actions.kill()}],
    ['workbench:arm', {label: 'Arm…', caption: 'Lift the kill switch', execute: () => actions.arm()}],
  ];
  for (const [id, options] of commands) {
    app.commands.addCommand(id, options);
    if (palette) palette.addItem({command: id, category: 'Workbench', args: {isPalette: true}});
  }
  live.listen(event => event.kind === 'news' && app.commands.notifyCommandChanged());
}
