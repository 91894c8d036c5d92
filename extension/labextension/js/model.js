/* What the stream has told so far, as one model. Pure. */

export const emptyModel = () => ({at: null, health: null, deployments: new Map(), exposure: []});

/* Take a message in; the names of the deployments that it changed. */
export function merge(model, message) {
  model.at = message.at;
  model.health = message.health;
  if (message.exposure) model.exposure = message.exposure;
  const gone = message.kind === 'all' ? [...model.deployments.keys()] : message.gone;
  for (const name of gone) model.deployments.delete(name);
  for (const one of message.deployments) model.deployments.set(one.name, one);
  return new Set([...gone, ...message.deployments.map(one => one.name)]);
}
