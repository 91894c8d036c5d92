/* Questions to the server: below its base URL, with its cookies and its XSRF header. */

export function apiOf(page) {
  const {URLExt} = page['@jupyterlab/coreutils'];
  const {ServerConnection} = page['@jupyterlab/services'];
  const settings = ServerConnection.makeSettings();

  /* The answer; what went wrong is an Error with the server's words. */
  return async (path, body) => {
    const init = body === undefined ? {} : {method: 'POST', body: JSON.stringify(body)};
    const url = URLExt.join(settings.baseUrl, 'workbench/api', path);
    const response = await ServerConnection.makeRequest(url, init, settings);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.message || `the server answers ${response.status}`);
    return answer;
  };
}

export const named = name => `deployments/${encodeURIComponent(name)}`;
