// SPDX-License-Identifier: Apache-2.0
// The slowest commands of late, as the node that answers has kept them.

import { escaped } from './bytes.js';
import { html, setText, table } from './dom.js';
import { duration } from './format.js';

export class SlowLog {
  #api;
  #box;
  #hint;
  #shown = '';

  constructor(api, box, hint) {
    this.#api = api;
    this.#box = box;
    this.#hint = hint;
  }

  /** Asks, and shows it where it has changed. */
  async update(self) {
    const entries = await this.#api.slowLog();
    const key = JSON.stringify(entries.map((entry) => entry.id));
    setText(
      this.#hint,
      entries.length === 0
        ? `Nothing at ${self} was slow of late: no command took longer than slowlog-log-slower-than (10 ms unless set).`
        : `What took longer than slowlog-log-slower-than (10 ms unless set) at ${self}, from started to answered; the latest first. The other nodes have their own.`,
    );
    if (key === this.#shown) {
      return;
    }
    this.#shown = key;
    this.#box.hidden = entries.length === 0;
    this.#box.replaceChildren(
      table(
        'Slow commands',
        ['When', 'Took', 'Command', 'Client'],
        entries.map((entry) => [
          html('time', { datetime: new Date(entry.atMillis).toISOString() }, when(entry.atMillis)),
          html('span.figure', {}, duration(entry.seconds)),
          html('code.words', {}, entry.words.map((word) => escaped(word) || '""').join(' ')),
          entry.client,
        ]),
      ),
    );
  }
}

const when = (millis) => new Date(millis).toLocaleString('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
