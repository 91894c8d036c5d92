/* The container that JupyterLab loads, written by hand: no bundler. It hands the modules that the page shares to
 * workbench.js, an ordinary ES module. Not in a folder called "static": those are cached for a year. */
(() => {
  let scope = null;
  const url = document.currentScript ? document.currentScript.src : '';
  const NAMES = [
    '@jupyterlab/application', '@jupyterlab/apputils', '@jupyterlab/coreutils', '@jupyterlab/launcher',
    '@jupyterlab/rendermime', '@jupyterlab/services', '@jupyterlab/settingregistry', '@jupyterlab/statusbar',
    '@jupyterlab/ui-components', '@lumino/widgets',
  ];

  /* The version that the page already runs, else the newest that is offered. */
  const shared = async name => {
    const offered = scope[name];
    if (!offered) throw new Error(`this JupyterLab shares no ${name}`);
    const versions = Object.keys(offered).sort((a, b) => a.localeCompare(b, undefined, {numeric: true}));
    return (await offered[versions.find(one => offered[one].loaded) || versions.pop()].get())();
  };

  const modules = {
    './extension': async () => {
      try {
        const found = await Promise.all(NAMES.map(shared));
        const page = Object.fromEntries(NAMES.map((name, at) => [name, found[at]]));
        const {plugin} = await import(new URL('workbench.js', url).href);
        return () => ({__esModule: true, default: plugin(page)});
      } catch (error) {
        console.warn(`Workbench shows no panel: ${error.message}`);
        return () => ({__esModule: true, default: []});
      }
    },
    './style': async () => () => {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = new URL('workbench.css', url).href;
      document.head.appendChild(link);
      return {};
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['workbench-lab'] = {
    init: given => { scope = given; },
    get: name => modules[name] ? modules[name]() : Promise.reject(new Error(`there is no module ${name}`)),
  };
})();
