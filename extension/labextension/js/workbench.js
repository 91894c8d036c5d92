/* The plugin: a sidebar, an item in the status bar with the kill switch, commands, and what they ask before they act. */

import {apiOf, named} from './api.js';
import {button, element} from './elements.js';
import {Sidebar} from './sidebar.js';
import * as words from './words.js';

const ID = 'workbench-lab:plugin';
/* Bars of a chart, in the colour of the other icons. */
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22"><g class="jp-icon3" fill="#616161">' +
  '<path d="M4 9h3v8H4zM5 6h1v14H5zM10 5h3v7h-3zM11 2h1v13h-1zM16 10h3v6h-3zM17 7h1v12h-1z"/></g></svg>';
const ASKED = {pause: words.PAUSE, resume: words.RESUME, stop: words.STOP, flatten: words.FLATTEN};

export function plugin(page) {
  const {ILayoutRestorer} = page['@jupyterlab/application'];
  const {Dialog, ICommandPalette, Notification, showDialog} = page['@jupyterlab/apputils'];
  const {ILauncher} = page['@jupyterlab/launcher'];
  const {ISettingRegistry} = page['@jupyterlab/settingregistry'];
  const {IStatusBar} = page['@jupyterlab/statusbar'];
  const {LabIcon} = page['@jupyterlab/ui-components'];
  const {Poll} = page['@lumino/polling'];
  const {Widget} = page['@lumino/widgets'];
  const api = apiOf(page);
  const icon = new LabIcon({name: 'workbench:icon', svgstr: ICON});

  /* What is said before something is done; whether it is to be done, and the reason that was typed. */
  const asked = async (title, text, accept, reason = false) => {
    const input = element('input', {type: 'text', class: 'jp-mod-styled', 'aria-label': 'Why', placeholder: 'why'});
    const body = new Widget({node: element('div', {}, element('p', {}, text), input)});
    body.getValue = () => input.value.trim();
    const buttons = [Dialog.cancelButton(), Dialog.warnButton({label: accept})];
    const result = await showDialog({title, body, buttons, focusNodeSelector: 'input'});
    if (!result.button.accept) return null;
    if (reason && !result.value) {
      Notification.error('Nothing was done: say why.');
      return null;
    }
    return result.value || '';
  };

  const activate = async (app, palette, launcher, restorer, statusBar, registry) => {
    const panel = new Widget({node: element('div', {class: 'wb-panel'})});
    panel.id = 'workbench-sidebar';
    panel.title.caption = 'Workbench: deployments';
    panel.title.icon = icon;

    const told = async (path, body) => {
      try {
        const reply = await api(path, body);
        Notification[reply.is_done ? 'success' : 'warning'](reply.text, {autoClose: 8000});
      } catch (error) {
        Notification.error(error.message, {autoClose: false});
      }
      await poll.refresh();
    };
    const act = async (verb, one, body = {}) => {
      const text = ASKED[verb] || `“${words.CHOICES.find(([choice]) => choice === body.choice)[1]}” for ${one.name}.`;
      const why = await asked(`${verb[0].toUpperCase()}${verb.slice(1)} ${one.name}?`, text, verb);
      if (why !== null) await told(`${named(one.name)}/${verb}`, {...body, why});
    };
    const sidebar = new Sidebar(panel.node, act);

    const kill = async () => {
      const why = await asked('Kill', words.KILL, 'Kill', true);
      if (why !== null) await told('kill', {why});
    };
    const arm = async () => {
      const why = await asked('Arm', 'What runs is evaluated again. A reason is needed.', 'Arm', true);
      if (why !== null) await told('arm', {why});
    };
    const text = element('span', {role: 'status'}, '○ Workbench');
    const bar = new Widget({node: element('div', {class: 'wb-status'}, text, button('■ Kill', kill, 'Kill switch'))});

    const poll = new Poll({
      auto: false, frequency: {interval: 1000, backoff: true, max: 10000}, standby: 'when-hidden',
      factory: async () => {
        try {
          const [rows, health] = await Promise.all([api('deployments'), api('health')]);
          sidebar.show(rows, health);
          text.textContent = `${sidebar.head.textContent.slice(0, 1)} Workbench ${sidebar.head.textContent.slice(2)}`;
        } catch (error) {
          sidebar.fail(error);
          text.textContent = '■ Workbench: the server does not answer';
          throw error;
        }
      },
    });

    const commands = [
      ['workbench:open', 'Workbench', 'Show the deployments', () => app.shell.activateById(panel.id)],
      ['workbench:kill', 'Kill switch…', words.KILL, kill],
      ['workbench:arm', 'Arm…', 'Lift the kill switch', arm],
    ];
    for (const [id, label, caption, execute] of commands) {
      app.commands.addCommand(id, {label, caption, execute, icon: id === 'workbench:open' ? icon : undefined});
      if (palette) palette.addItem({command: id, category: 'Workbench'});
    }
    app.shell.add(panel, 'left', {rank: 300});
    if (restorer) restorer.add(panel, panel.id);
    if (launcher) launcher.add({command: 'workbench:open', category: 'Workbench', rank: 1});
    if (statusBar) statusBar.registerStatusItem(ID, {item: bar, align: 'left', rank: 100, isActive: () => true});
    if (registry) {
      const settings = await registry.load(ID);
      const set = () => {
        poll.frequency = {...poll.frequency, interval: 1000 * settings.composite.refreshSeconds};
      };
      settings.changed.connect(set);
      set();
    }
    await poll.start();
  };

  return {
    id: ID,
    description: 'Deployments beside your notebooks.',
    autoStart: true,
    optional: [ICommandPalette, ILauncher, ILayoutRestorer, IStatusBar, ISettingRegistry],
    activate,
  };
}
