// SPDX-License-Identifier: Apache-2.0
// One key: looked at as text, JSON or hex; changed only if it is still what was read (compare-and-set by
// its version); deleted after a question. What a field cannot hold unchanged is never saved from it.

import { Gone, Problem } from './api.js';
import { Mistake, editableText, escaped, hex, indentedJson, isJson, looksLikeJson, same, text, unescaped, unhex, utf8 } from './bytes.js';
import { byId, html, setText } from './dom.js';
import { age, bytes as size } from './format.js';

/** The ways to look at a value: whether it can be, how it is shown, and what was typed as bytes. */
const VIEWS = {
  text: { name: 'Text', can: (value) => editableText(value) !== null, show: editableText, read: utf8 },
  json: {
    name: 'JSON',
    can: looksLikeJson,
    show: (value) => indentedJson(editableText(value)),
    read: (typed) => {
      if (!isJson(typed)) {
        throw new Mistake('This is not JSON. Mend it, or save it in the view Text.');
      }
      return utf8(typed);
    },
  },
  hex: { name: 'Hex', can: () => true, show: hex, read: unhex },
};

export class Editor {
  #api;
  #rights;
  #box;
  #changed;
  #closed;
  #key = null; // null where a new key is made
  #read = null; // {bytes, version, expiresAtMillis, size, whole} as it was read; null for none
  #view = 'text';
  #shown = ''; // what the field held before somebody typed
  #elements = null;
  #busy = false;

  /**
   * @param {Rights} rights what one may do
   * @param {Element} box where it is drawn
   * @param {(key: Uint8Array, exists: boolean) => void} changed told of each write
   * @param {() => void} closed told when no key is open any more
   */
  constructor(api, rights, box, changed, closed) {
    this.#api = api;
    this.#rights = rights;
    this.#box = box;
    this.#changed = changed;
    this.#closed = closed;
    this.#empty();
  }

  /** Whether something was typed that is not saved. */
  get dirty() {
    const e = this.#elements;
    return (
      e !== null && (e.field.value !== this.#shown || e.ttl.value !== '' || (this.#key === null && e.key.value !== ''))
    );
  }

  /** Reads a key and shows it. */
  async open(key, { focus = true } = {}) {
    if (!(await this.mayLeave())) {
      return false;
    }
    const read = this.#rights.may('read') ? await this.#api.get(key) : undefined;
    this.#key = key;
    if (read === undefined) {
      this.#missing(key, this.#rights.why('read'));
    } else if (read === null) {
      this.#missing(key);
    } else {
      this.#show(read);
    }
    if (focus) {
      byId('editor-title').focus();
    }
    return true;
  }

  /** Begins a new key. */
  async create() {
    if (!(await this.mayLeave())) {
      return;
    }
    this.#key = null;
    this.#show(null);
    this.#elements.key.focus();
  }

  /** Asks before what was typed is lost. */
  async mayLeave() {
    return !this.dirty || ask('Discard what you typed?', 'It was not saved.', 'Discard', 'Go on editing');
  }

  #empty() {
    this.#elements = null;
    this.#read = null;
    this.#key = null;
    this.#box.replaceChildren(
      html('div.nothing', {}, html('h3', { id: 'editor-title', tabindex: '-1' }, 'No key chosen'), html('p.hint', {}, 'Choose one from the list to look at it or change it, or make a new one.')),
    );
  }

  #missing(key, words = 'There is no such key any more.') {
    this.#elements = null;
    this.#read = null;
    this.#box.replaceChildren(
      html('div.nothing', {}, html('h3', { id: 'editor-title', tabindex: '-1' }, escaped(key)), html('p.hint', {}, words)),
    );
  }

  #show(read, view = null) {
    const isNew = this.#key === null;
    this.#read = read;
    const value = read?.bytes ?? new Uint8Array();
    const whole = read?.whole ?? true;
    const can = (name) => whole && (isNew || VIEWS[name].can(value));
    this.#view = view !== null && can(view) ? view : isNew ? 'text' : ['json', 'text'].find(can) ?? 'hex';
    const e = {
      key: html('input', { id: 'new-key', type: 'text', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'escape-help' }),
      field: html('textarea', { id: 'value', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', rows: '14', 'aria-describedby': 'editor-note', 'data-needs': 'write', 'data-fixed': !whole }),
      ttl: html('input', { id: 'ttl', type: 'number', 'data-needs': 'write', min: '1', max: '9999999999', step: '1', inputmode: 'numeric', placeholder: read?.expiresAtMillis ? 'as it is' : 'never' }),
      persist: html('input', { id: 'persist', type: 'checkbox', 'data-needs': 'write' }),
      note: html('p.note', { id: 'editor-note', role: 'status' }),
      conflict: html('div'),
      views: html('div.switch', { role: 'radiogroup', 'aria-label': 'View as' }),
      expiry: html('dd'),
    };
    this.#elements = e;
    e.persist.addEventListener('change', () => {
      e.ttl.disabled = e.persist.checked;
    });
    for (const [name, { name: label }] of Object.entries(VIEWS)) {
      const input = html('input', { type: 'radio', name: 'view', value: name, checked: name === this.#view, disabled: name !== 'hex' && !can(name), onchange: () => this.#switch(name) });
      e.views.append(html('label', {}, input, html('span', {}, label)));
    }
    const form = html(
      'form',
      { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#save(); } },
      html(
        'header.card-head',
        {},
        html('h3.key-title', { id: 'editor-title', tabindex: '-1' }, isNew ? 'New key' : escaped(this.#key)),
        e.views,
      ),
      isNew ? html('p.field', {}, html('label', { for: 'new-key' }, 'Key'), e.key) : null,
      isNew
        ? null
        : html(
            'dl.facts',
            {},
            html('div', {}, html('dt', {}, 'Size'), html('dd', {}, size(read.size))),
            html('div', {}, html('dt', {}, 'Version'), html('dd.figure', {}, read.version.replaceAll('"', ''))),
            html('div', {}, html('dt', {}, 'Expires'), e.expiry),
          ),
      html('p.field', {}, html('label', { for: 'value' }, 'Value'), e.field),
      whole
        ? html(
            'div.field.row.ttl',
            {},
            html('label', { for: 'ttl' }, 'Expires in'),
            e.ttl,
            html('span', {}, 'seconds'),
            read?.expiresAtMillis ? html('label.check', {}, e.persist, 'never expires') : null,
          )
        : null,
      html('p.hint', { 'data-tells': 'write', hidden: true }),
      e.note,
      e.conflict,
      html(
        'div.row.actions',
        {},
        whole ? html('button.primary', { type: 'submit', 'data-needs': 'write' }, isNew ? 'Create' : 'Save') : null,
        isNew
          ? html('button', { type: 'button', onclick: () => this.#close() }, 'Cancel')
          : html('button', { type: 'button', 'data-needs': 'read', onclick: () => this.open(this.#key) }, 'Read again'),
        isNew ? null : html('a.button', { 'data-needs': 'read', href: this.#api.pathOf(this.#key), download: 'value' }, 'Download'),
        isNew ? null : html('button.danger-quiet', { type: 'button', 'data-needs': 'delete', onclick: () => this.#delete() }, 'Delete …'),
      ),
    );
    this.#box.replaceChildren(form);
    this.#rights.apply(form);
    this.#fill(value);
    this.tick();
    if (!whole) {
      this.#note(`Only the first ${size(value.length)} of ${size(read.size)} are shown; too long to be edited here. Download has all of it.`);
    } else if (!isNew && editableText(value) === null && text(value) !== null) {
      this.#note('Shown in hex: it holds characters that a text field would change or hide.');
    }
  }

  /** Keeps what stands under Expires true. */
  tick() {
    if (this.#elements && this.#read) {
      const at = this.#read.expiresAtMillis;
      const seconds = at === null ? null : (at - Date.now()) / 1000;
      setText(this.#elements.expiry, seconds === null ? 'never' : seconds <= 0 ? 'now' : `in ${age(seconds)}`);
    }
  }

  #fill(value) {
    this.#elements.field.value = VIEWS[this.#view].show(value);
    this.#shown = this.#elements.field.value;
  }

  /** The same bytes in another view, what was typed included; where that cannot be, the view stays. */
  #switch(name) {
    const e = this.#elements;
    const untouched = e.field.value === this.#shown;
    try {
      const value = untouched ? (this.#read?.bytes ?? new Uint8Array()) : VIEWS[this.#view].read(e.field.value);
      if (value.length > 0 && !VIEWS[name].can(value)) {
        throw new Mistake(`This value cannot be shown as ${VIEWS[name].name}.`);
      }
      const shown = value.length === 0 ? '' : VIEWS[name].show(value);
      this.#view = name;
      e.field.value = shown;
      if (untouched) {
        this.#shown = e.field.value;
      }
      this.#note('');
    } catch (mistake) {
      e.views.querySelector(`[value=${this.#view}]`).checked = true;
      this.#failed(mistake);
    }
  }

  async #save() {
    const e = this.#elements;
    if (this.#busy || !this.#rights.may('write')) {
      return;
    }
    this.#busy = true;
    const isNew = this.#key === null;
    try {
      const key = isNew ? unescaped(e.key.value) : this.#key;
      if (key.length === 0) {
        e.key.focus();
        throw new Mistake('A key has at least one byte.');
      }
      // What nobody touched is written as it was read, however the view shows it.
      const value = e.field.value === this.#shown && this.#read ? this.#read.bytes : VIEWS[this.#view].read(e.field.value);
      if (!e.ttl.validity.valid || (e.ttl.value !== '' && !e.ttl.disabled && !/^[1-9]\d*$/.test(e.ttl.value))) {
        e.ttl.focus();
        throw new Mistake('An expiry is a whole number of seconds, at least 1.');
      }
      const ttl = e.persist.checked ? 'none' : e.ttl.value === '' ? (this.#read ? 'keep' : 'none') : Number(e.ttl.value);
      this.#note('Saving …');
      await this.#api.put(key, value, { version: this.#read?.version ?? null, ttl });
      const view = this.#view;
      this.#key = key;
      const read = await this.#written(key);
      if (read === null) {
        this.#missing(key);
      } else if (read === undefined) {
        this.#missing(key, `${isNew ? 'Created' : 'Saved'}. The user ${this.#rights.user} may not read it.`);
      } else {
        this.#show(read, view);
        this.#note(same(read.bytes, value) || !read.whole ? (isNew ? 'Created.' : 'Saved.') : 'Saved, and changed by somebody else since: that is what is shown.');
      }
      this.#changed(key, true);
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 412) {
        await this.#stale(isNew ? unescaped(e.key.value) : this.#key).catch((again) => this.#failed(again));
      } else {
        this.#failed(failure);
      }
    } finally {
      this.#busy = false;
    }
  }

  /** What was just written, as it is now; null where it is gone, undefined where one may write and not read. */
  async #written(key) {
    try {
      return await this.#api.get(key);
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 403) {
        return undefined;
      }
      throw failure;
    }
  }

  /** Somebody else was there first: nothing was written; both values are shown, and the person decides. */
  async #stale(key) {
    const e = this.#elements;
    const other = await this.#api.get(key);
    const wasNew = this.#key === null;
    this.#note('');
    const words = other === null
      ? 'Not saved: this key was deleted meanwhile.'
      : wasNew
        ? 'Not created: there is a key of this name already.'
        : `Not saved: somebody changed this key meanwhile, from version ${this.#read.version.replaceAll('"', '')} to ${other.version.replaceAll('"', '')}.`;
    const shown = other === null ? null : VIEWS[VIEWS[this.#view].can(other.bytes) && other.whole ? this.#view : 'hex'].show(other.bytes);
    const mine = e.field.value;
    e.conflict.replaceChildren(
      html(
        'section.conflict',
        { role: 'alert', 'aria-labelledby': 'conflict-title' },
        html('h4', { id: 'conflict-title' }, words),
        other === null ? null : html('p', {}, 'It now holds:'),
        other === null ? null : html('pre', { tabindex: '0', role: 'region', 'aria-label': 'The value that is stored now' }, shown),
        html(
          'div.row',
          {},
          html('button', {
            type: 'button',
            onclick: () => {
              this.#key = key;
              if (other === null) {
                this.#changed(key, false);
                this.#missing(key);
              } else {
                this.#show(other, this.#view);
              }
              byId('editor-title').focus();
            },
          }, other === null ? 'Let it be deleted' : 'Take that one'),
          html('button', {
            type: 'button',
            onclick: () => {
              const view = this.#view;
              if (other === null) {
                // Create it again, under the same name.
                this.#read = null;
                e.conflict.replaceChildren();
                this.#save();
                return;
              }
              this.#key = key;
              this.#show(other);
              this.#view = view;
              this.#elements.views.querySelector(`[value=${view}]`).checked = true;
              this.#elements.field.value = mine;
              this.#shown = null;
              this.#note('Yours is in the field again. Save writes it over the value of that version.');
              this.#elements.field.focus();
            },
          }, other === null ? 'Create it again' : 'Go on with mine'),
        ),
      ),
    );
    e.conflict.scrollIntoView({ block: 'nearest' });
  }

  async #delete() {
    const key = this.#key;
    const sure = await ask('Delete this key?', `${escaped(key)} and its value of ${size(this.#read.size)} are deleted from the whole cluster. There is no way back.`, 'Delete', 'Keep it');
    if (!sure) {
      return;
    }
    try {
      await this.#api.delete(key, this.#read.version);
      this.#changed(key, false);
      this.#empty();
      setText(this.#box.querySelector('p'), `${escaped(key)} was deleted.`);
      byId('editor-title').focus();
    } catch (failure) {
      if (failure instanceof Problem && failure.status === 412) {
        await this.#stale(key).catch((again) => this.#failed(again));
      } else {
        this.#failed(failure);
      }
    }
  }

  async #close() {
    if (await this.mayLeave()) {
      this.#empty();
      this.#closed();
    }
  }

  #note(words) {
    this.#elements.note.classList.remove('wrong');
    setText(this.#elements.note, words);
  }

  #failed(failure) {
    if (!this.#elements) {
      return;
    }
    this.#elements.note.classList.add('wrong');
    setText(this.#elements.note, sayFailure(failure));
  }
}

/** What became of a request, in words: refused for certain, or not known. */
export function sayFailure(failure) {
  if (failure instanceof Mistake) {
    return failure.message;
  }
  if (failure instanceof Problem && failure.type.endsWith('/not-on-all-replicas')) {
    return `Done, but not on every replica yet: ${failure.message}`;
  }
  if (failure instanceof Problem && failure.status === 401) {
    return 'Nothing was done: you are logged out.';
  }
  if (failure instanceof Problem && failure.status === 403) {
    return `Nothing was done: ${failure.message}`;
  }
  if (failure instanceof Problem) {
    return failure.status === 504 || failure.status === 500
      ? `Not known whether this was done: ${failure.message}. Read the key again before you repeat it.`
      : `Nothing was changed: ${failure.message}`;
  }
  if (failure instanceof Gone) {
    return 'The node did not answer. If you were saving, it is not known whether that was done: read the key again.';
  }
  throw failure; // a fault of the page's own
}

/** A question with two answers, the harmless one first; resolves to whether it was answered with yes. */
export function ask(title, words, yes, no) {
  const dialog = byId('question');
  setText(byId('question-title'), title);
  setText(byId('question-text'), words);
  setText(byId('question-yes'), yes);
  setText(dialog.querySelector('[value=no]'), no);
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
