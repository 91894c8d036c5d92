/* The plugin: a sidebar, an item in the status bar, details in the main area, commands; all of one stream of news. */

import {Actions} from './actions.js';
import {apiOfLab} from './api.js';
import {commandsOf} from './commands.js';
import {Detail} from './detail.js';
import {askerOfLab} from './dialog.js';
import {element} from './elements.js';
import {acquire} from './live.js';
import {Sidebar} from './sidebar.js';
import {openStart} from './start.js';
import {StatusBar} from './statusbar.js';
import {chartsOf} from './vega.js';

const ID = 'workbench-lab:plugin';
/* Bars of a chart, in the colour of the other icons. */
const ICON = '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22"><g class="jp-icon3" fill="#616161">' +
  '<path d="M4 9h3v8H4zM5 6h1v14H5zM10 5h3v7h-3zM11 2h1v13h-1zM16 10h3v6h-3zM17 7h1v12h-1z"/></g></svg>';

/* What asks, tells and shows in this JupyterLab, for all views. */
function handsOf(app, page) {
  const {Notification} = page['@jupyterlab/apputils'];
  const {api, stream} = apiOfLab(page);
  const {live} = acquire(stream);
  const tell = (kind, text) => Notification[kind](text, {autoClose: kind === 'error' ? false : 8000});
  const actions = new Actions({api, live, tell, ask: askerOfLab(page)});
  return {
    api, live, actions,
    act: (...given) => actions.act(...given),
    open: name => app.commands.execute('workbench:detail', {name}),
    start: () => app.commands.execute('workbench:start'),
  };
}

/* Details in the main area: one a deployment, there again after the page was loaded anew. */
function detailsOf(app, page, {hands, icon, charts, restorer}) {
  const {MainAreaWidget, WidgetTracker} = page['@jupyterlab/apputils'];
  const {Widget} = page['@lumino/widgets'];
  const tracker = new WidgetTracker({namespace: 'workbench-detail'});

  class DetailWidget extends Widget {
    constructor(name) {
      super({node: element('div')});
      this.name = name;
      this.view = new Detail(this.node, {...hands, name, charts, isShown: () => this.isVisible});
    }

    onAfterShow() {
      this.view.ask();
    }

    dispose() {
      if (!this.isDisposed) this.view.dispose();
      super.dispose();
    }
  }

  const open = name => {
    const there = tracker.find(one => one.content.name === name);
    const widget = there || new MainAreaWidget({content: new DetailWidget(name)});
    if (!there) {
      widget.id = `workbench-detail-${encodeURIComponent(name)}`;
      Object.assign(widget.title, {label: name, caption: `Workbench: ${name}`, icon, closable: true});
      tracker.add(widget);
      app.shell.add(widget, 'main');
    }
    app.shell.activateById(widget.id);
  };
  const restore = () => restorer && restorer.restore(tracker, {
    command: 'workbench:detail', args: one => ({name: one.content.name}), name: one => one.content.name,
  });
  return {open, restore, current: () => tracker.currentWidget?.content.name ?? null};
}

export function plugin(page) {
  const {ILayoutRestorer} = page['@jupyterlab/application'];
  const {ICommandPalette} = page['@jupyterlab/apputils'];
  const {ILauncher} = page['@jupyterlab/launcher'];
  const {IRenderMimeRegistry} = page['@jupyterlab/rendermime'];
  const {ISettingRegistry} = page['@jupyterlab/settingregistry'];
  const {IStatusBar} = page['@jupyterlab/statusbar'];
  const {LabIcon} = page['@jupyterlab/ui-components'];
  const {Widget} = page['@lumino/widgets'];
  const icon = new LabIcon({name: 'workbench:icon', svgstr: ICON});

  const activate = async (app, palette, launcher, restorer, statusBar, registry, rendermime) => {
    const hands = handsOf(app, page);
    const panel = new Widget({node: element('div')});
    panel.id = 'workbench-sidebar';
    panel.title.caption = 'Workbench: deployments';
    panel.title.icon = icon;
    const details = detailsOf(app, page, {hands, icon, charts: chartsOf(page, rendermime), restorer});
    commandsOf(app, page, {
      hands, details, icon, palette, showSidebar: () => app.shell.activateById(panel.id), start: () => openStart(app),
    });
    details.restore();
    new Sidebar(panel.node, hands);
    app.shell.add(panel, 'left', {rank: 300});
    if (restorer) restorer.add(panel, panel.id);
    if (launcher) launcher.add({command: 'workbench:start', category: 'Workbench', rank: 1});
    const bar = new Widget({node: element('div')});
    const execute = command => () => app.commands.execute(command);
    new StatusBar(bar.node, {live: hands.live, open: execute('workbench:open'), kill: execute('workbench:kill')});
    if (statusBar) statusBar.registerStatusItem(ID, {item: bar, align: 'left', rank: 100, isActive: () => true});
    if (registry) {
      const settings = await registry.load(ID);
      const set = () => {
        hands.live.staleAfter = settings.composite.staleSeconds;
      };
      settings.changed.connect(set);
      set();
    }
  };

  return {
    id: ID,
    description: 'Deployments beside your notebooks.',
    autoStart: true,
    optional: [ICommandPalette, ILauncher, ILayoutRestorer, IStatusBar, ISettingRegistry, IRenderMimeRegistry],
    activate,
  };
}
