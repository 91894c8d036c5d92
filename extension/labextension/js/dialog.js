/* Asks in a dialog of JupyterLab, which stays open until what must be said is said. */

import {formOf} from './form.js';

export function askerOfLab(page) {
  const {Dialog} = page['@jupyterlab/apputils'];
  const {Widget} = page['@lumino/widgets'];

  class Asking extends Dialog {
    constructor(options, form) {
      super(options);
      this.form = form;
      this.buttons = options.buttons;
    }

    /* A button was pressed, or Enter: without an index it is the default one. */
    resolve(index) {
      const pressed = this.buttons[index === undefined ? this.buttons.length - 1 : index];
      if (pressed.accept && !this.form.isComplete()) return;
      super.resolve(index);
    }
  }

  /* The key of what was accepted with what was given; null when nothing is to be done. */
  return async ask => {
    const form = formOf(ask);
    const accepts = ask.accepts.map(({label, isWarning}) =>
      (isWarning ? Dialog.warnButton : Dialog.okButton)({label, ariaLabel: label}));
    const buttons = [Dialog.cancelButton(), ...accepts];
    const dialog = new Asking({
      title: ask.title, body: new Widget({node: form.node}), buttons, defaultButton: accepts.length === 1 ? 1 : 0,
      focusNodeSelector: 'input',
    }, form);
    const result = await dialog.launch();
    if (!result.button.accept) return null;
    const accepted = ask.accepts.find(one => one.label === result.button.label);
    return {key: accepted.key, values: form.values()};
  };
}
