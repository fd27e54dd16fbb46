// SPDX-License-Identifier: Apache-2.0
// A card for each node. Cards stay and their texts change, so that focus and selection stay too.

import { html, setText } from './dom.js';
import { age, bytes, several } from './format.js';
import { standing } from './health.js';

const COLOURS = 8;

export class Nodes {
  #list;
  #cards = new Map(); // node id → card

  constructor(list) {
    this.#list = list;
  }

  /**
   * Shows the nodes.
   *
   * @param {object[]} nodes as the document of /v1/cluster has them
   * @param {string} self the name of the node that answers
   * @param {(node: object) => string} consoleOf where a node's console is, in the view that is shown
   */
  update(nodes, self, consoleOf) {
    const ids = new Set(nodes.map((node) => node.id));
    for (const [id, card] of this.#cards) {
      if (!ids.has(id)) {
        card.element.remove();
        this.#cards.delete(id);
      }
    }
    nodes.forEach((node, i) => {
      let card = this.#cards.get(node.id);
      if (!card) {
        card = new Card();
        this.#cards.set(node.id, card);
        this.#list.append(card.element);
      }
      card.update(node, i % COLOURS, node.name === self, consoleOf(node));
    });
  }
}

/** For people: up, disk low, down for 3 min. */
function stateOf(node) {
  const state = standing(node);
  if (state === 'down') {
    return node.heardMillisAgo === undefined ? 'never heard' : `down for ${age(node.heardMillisAgo / 1000)}`;
  }
  return state === 'up' && node.diskLow ? 'disk low' : state;
}

class Card {
  #name = html('h4.node-name');
  #state = html('span.node-state');
  #roles = html('p.node-roles');
  #link = html('a.node-link');
  #figures = new Map();
  #list = html('dl');
  element = html(
    'li.card.node',
    {},
    html('div.node-head', {}, html('span.swatch', { 'aria-hidden': 'true' }), this.#name, this.#state),
    this.#roles,
    this.#list,
    this.#link,
  );

  update(node, colour, isSelf, href) {
    this.element.dataset.colour = String(colour);
    this.element.dataset.state = !node.up ? 'down' : node.diskLow ? 'low' : 'up';
    setText(this.#name, node.name);
    setText(
      this.#state,
      stateOf(node),
    );
    setText(this.#roles, `Leads ${node.leads}, ${several(node.replicas, 'copy', 'copies')}, ${several(node.witnesses, 'witness', 'witnesses')}`);
    const known = (value) => value !== null && value !== undefined;
    if (known(node.diskBytes)) {
      this.#meter('Disk', node.diskBytes - node.diskFreeBytes, node.diskBytes, `${bytes(node.diskFreeBytes)} free of ${bytes(node.diskBytes)}`);
      this.#meter('Heap', node.heapUsedBytes, node.heapMaxBytes, `${bytes(node.heapUsedBytes)} of ${bytes(node.heapMaxBytes)}`);
    }
    this.#figure('Memory', node.up && node.residentBytes ? bytes(node.residentBytes) : '–');
    this.#figure('Up for', node.up && known(node.upMillis) ? age(node.upMillis / 1000) : '–');
    this.#figure('Version', node.version || '–');
    setText(this.#link, isSelf ? 'This console' : node.up ? 'Open its console' : standing(node) === 'down' ? 'Its console is down too' : 'Its console may not answer');
    if (isSelf || !node.up) {
      this.#link.removeAttribute('href');
      this.#link.removeAttribute('aria-label');
    } else {
      if (this.#link.getAttribute('href') !== href) {
        this.#link.setAttribute('href', href);
      }
      this.#link.setAttribute('aria-label', `Open its console, of ${node.name}`);
    }
  }

  #figure(name, text) {
    let value = this.#figures.get(name);
    if (!value) {
      value = html('dd');
      this.#figures.set(name, value);
      this.#list.append(html('div', {}, html('dt', {}, name), value));
    }
    setText(value.firstElementChild ?? value, text);
    return value;
  }

  #meter(name, used, size, text) {
    let value = this.#figures.get(name);
    if (!value) {
      value = html('dd', {}, html('span'), html('div.meter', { 'aria-hidden': 'true' }, html('div')));
      this.#figures.set(name, value);
      this.#list.append(html('div.wide', {}, html('dt', {}, name), value));
    }
    setText(value.firstElementChild, text);
    const share = size > 0 ? Math.min(1, used / size) : 0;
    const bar = value.querySelector('.meter > div');
    bar.style.inlineSize = `${(share * 100).toFixed(1)}%`;
    bar.dataset.full = share > 0.95 ? 'very' : share > 0.85 ? 'rather' : 'no';
  }
}
