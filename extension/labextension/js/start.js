/* The notebook to begin with: the first one of ours where the server's folder has it, else a new one. */

const FOLDER = 'notebooks';
const FIRST = '01_first_backtest.ipynb';

/* Whether a folder holds something; asked of the folder, for what is not there is an error in the page's console. */
const holds = async (contents, folder, name) => (await contents.get(folder)).content.some(one => one.name === name);

/* Where it is: the server's folder is that of the notebooks, or holds it. */
async function pathOfFirst(contents) {
  if (await holds(contents, '', FIRST)) return FIRST;
  return await holds(contents, '', FOLDER) && await holds(contents, FOLDER, FIRST) ? `${FOLDER}/${FIRST}` : '';
}

export async function openStart(app) {
  const {contents, kernelspecs} = app.serviceManager;
  const path = await pathOfFirst(contents);
  if (path) return app.commands.execute('docmanager:open', {path});
  await kernelspecs.ready;
  return app.commands.execute('notebook:create-new', {kernelName: kernelspecs.specs?.default});
}
