// SPDX-License-Identifier: Apache-2.0
// The key browser: keys under a prefix, in their order over the whole cluster, a page at a time.

import { Editor, sayFailure } from './editor.js';
import { escaped, percent, same, unescaped } from './bytes.js';
import { byId, html, setText } from './dom.js';
import { several } from './format.js';

const PAGE = 100;
const SHOWN_MAX = 5000;

export class Keys {
  #api;
  #rights;
  #remember;
  #keys = [];
  #cursor = null;
  #open = null; // the key in the editor
  #asked = 0; // numbers the lists that were asked for: a late answer to an earlier one is dropped
  #prefix = new Uint8Array();
  editor;

  /** @param {(state: {prefix: string, key: string}) => void} remember keeps what is shown in the address */
  constructor(api, rights, remember) {
    this.#api = api;
    this.#rights = rights;
    this.#remember = remember;
    this.editor = new Editor(api, rights, byId('editor'), (key, exists) => this.#changed(key, exists), () => this.#opened(null));
    byId('search').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#list();
    });
    byId('create').addEventListener('click', () => this.editor.create());
    byId('more').addEventListener('click', () => this.#page());
  }

  /** Shows what an address says. */
  async show(prefix, key) {
    byId('prefix').value = prefix;
    const wanted = key === '' ? null : unescaped(key);
    if (wanted !== null && !(this.#open && same(this.#open, wanted))) {
      await this.#select(wanted, { focus: false });
    }
    await this.#list();
  }

  async #list() {
    try {
      this.#prefix = unescaped(byId('prefix').value);
    } catch (mistake) {
      setText(byId('list-status'), mistake.message);
      return;
    }
    this.#keys = [];
    this.#cursor = null;
    this.#tellAddress();
    await this.#page();
  }

  async #page() {
    const asked = ++this.#asked;
    const first = this.#keys.length === 0;
    if (!this.#rights.may('list')) {
      setText(byId('list-status'), this.#rights.why('list'));
      return;
    }
    try {
      const page = await this.#api.list(this.#prefix, this.#cursor, PAGE);
      if (asked !== this.#asked) {
        return;
      }
      this.#keys.push(...page.keys);
      this.#cursor = page.cursor;
      this.#draw(first ? 0 : this.#keys.length - page.keys.length);
    } catch (failure) {
      setText(byId('list-status'), sayFailure(failure));
    }
  }

  #draw(from) {
    const rows = this.#keys.slice(from).map((key) => this.#row(key));
    if (from === 0) {
      byId('key-rows').replaceChildren(...rows);
    } else {
      byId('key-rows').append(...rows);
      rows[0]?.firstElementChild.focus();
    }
    this.#rights.apply(byId('key-rows'));
    const more = this.#cursor !== null;
    const full = this.#keys.length >= SHOWN_MAX;
    byId('more').hidden = !more || full;
    setText(
      byId('list-status'),
      this.#keys.length === 0
        ? this.#prefix.length === 0
          ? 'There are no keys yet.'
          : 'No key begins with that.'
        : `${several(this.#keys.length, 'key')}${more ? (full ? ', and more: give a longer prefix' : ' so far') : ''}`,
    );
  }

  #row(key) {
    const button = html('button', { type: 'button', 'data-needs': 'read', onclick: () => this.#select(key) }, escaped(key));
    const row = html('li', {}, button);
    row.dataset.key = percent(key);
    if (this.#open && same(this.#open, key)) {
      button.setAttribute('aria-current', 'true');
    }
    return row;
  }

  async #select(key, options) {
    try {
      if (await this.editor.open(key, options)) {
        this.#opened(key);
      }
    } catch (failure) {
      setText(byId('list-status'), sayFailure(failure));
    }
  }

  #opened(key) {
    this.#open = key;
    const current = key === null ? null : percent(key);
    for (const row of byId('key-rows').children) {
      if (row.dataset.key === current) {
        row.firstElementChild.setAttribute('aria-current', 'true');
      } else {
        row.firstElementChild.removeAttribute('aria-current');
      }
    }
    this.#tellAddress();
  }

  #changed(key, exists) {
    this.#opened(exists ? key : null);
    this.#list();
  }

  #tellAddress() {
    this.#remember({ prefix: byId('prefix').value, key: this.#open === null ? '' : escaped(this.#open) });
  }
}
