/* The notebook to begin with: the first one of ours where the server's folder has it, else a new one. */

const FOLDER = 'notebooks';
const FIRST = '01_first_backtest.ipynb';

/* Whether a folder holds something; asked of the folder, for what is not there is an error in the page's console. */
const holds = async (contents, folder, name) => (await contents.get(folder)).content.some(one => one.name === name);

export async function openStart(app) {
  const {contents, kernelspecs} = app.serviceManager;
  if (await holds(contents, '', FOLDER) && await holds(contents, FOLDER, FIRST)) {
    return app.commands.execute('docmanager:open', {path: `${FOLDER}/${FIRST}`});
  }
  await kernelspecs.ready;
  return app.commands.execute('notebook:create-new', {kernelName: kernelspecs.specs?.default});
}
