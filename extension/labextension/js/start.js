/* The notebook to begin with: the first one of ours where the server's folder has it, else a new one. */

const FIRST = 'notebooks/01_first_backtest.ipynb';

export async function openStart(app) {
  const {contents, kernelspecs} = app.serviceManager;
  const is = await contents.get(FIRST, {content: false}).then(() => true, () => false);
  if (is) return app.commands.execute('docmanager:open', {path: FIRST});
  await kernelspecs.ready;
  return app.commands.execute('notebook:create-new', {kernelName: kernelspecs.specs?.default});
}
