// SPDX-License-Identifier: Apache-2.0
// The commands of all nodes that took long, the latest first.

import { html, setText, table } from './dom.js';
import { duration, shortNames } from './format.js';

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
  async update() {
    const entries = await this.#api.slowLog();
    setText(
      this.#hint,
      entries.length === 0
        ? 'No command was slow of late: none took longer than slowlog-log-slower-than (10 ms unless set), at any node that answers.'
        : 'What took longer than slowlog-log-slower-than (10 ms unless set), from started to answered; the latest first.',
    );
    const key = JSON.stringify(entries.map(({ node, id }) => [node, id]));
    if (key === this.#shown) {
      return;
    }
    this.#shown = key;
    this.#box.hidden = entries.length === 0;
    const short = shortNames([...new Set(entries.map(({ node }) => node))]);
    this.#box.replaceChildren(
      table(
        'Slow commands',
        ['When', 'Took', 'Command', 'Node', 'Client'],
        entries.map(({ atMillis, micros, command, node, client, clientName }) => [
          html('time', { datetime: new Date(atMillis).toISOString() }, when(atMillis)),
          html('span.figure', {}, duration(micros / 1e6)),
          html('code.words', {}, command.map((word) => word || '""').join(' ')),
          short.get(node),
          clientName ? `${clientName} (${client})` : client,
        ]),
      ),
    );
  }
}

const when = (millis) => new Date(millis).toLocaleString('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
