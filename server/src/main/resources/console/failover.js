// SPDX-License-Identifier: Apache-2.0
// When the console's node is gone: says so, looks for another that answers, and goes there.
//
// The page may ask the other nodes nothing but whether they are alive: its policy (connect-src) names
// their addresses, and /healthz is the one resource that they let pages of other origins see, and only
// that it answered. So the whole page moves to the other node, which serves it anew under its own origin,
// and what was shown travels in the fragment, which browsers send to nobody.

import { html } from './dom.js';

const PROBE_MILLIS = 1200;

export class Failover {
  #box;
  #unsaved;
  #gone = null; // the node that does not answer
  #from = null; // the node that the page came from, until it was said
  #notice = null;
  leaving = false;

  /**
   * @param {Element} box where notices stand
   * @param {() => boolean} unsaved whether something was typed that leaving would lose
   */
  constructor(box, unsaved) {
    this.#box = box;
    this.#unsaved = unsaved;
  }

  /** Keeps in mind which node was left for this one. */
  cameFrom(name) {
    this.#from = name;
  }

  /** Says, once, through which node it goes on. */
  announce(self) {
    if (this.#from !== null && this.#from !== self) {
      const left = this.#from;
      this.#from = null;
      this.say('calm', `Node ${left} did not answer, so the console went on through ${self}. `, html('button', { type: 'button', onclick: () => this.say() }, 'Fine'));
    }
  }

  /** The node answers again; whether it was gone. */
  back() {
    if (this.#gone === null) {
      return false;
    }
    this.#gone = null;
    this.say();
    return true;
  }

  /**
   * Looks for another node and goes there; stays if there is none, or if something unsaved would be lost.
   *
   * @param {string} self the node that is gone
   * @param {{name: string, place: string}[]} others the other nodes, the likeliest first: what people call each, and
   *     where it announces that clients find it, host:port
   * @param {(from: string) => string} fragment what the console there is to show
   */
  async goOn(self, others, fragment) {
    this.#gone = self;
    const other = await firstAlive(others);
    if (other === null) {
      this.say('', `Node ${self} does not answer, and no other node could be reached from here. Start it again; the console looks on by itself.`);
    } else if (this.#unsaved()) {
      const go = () => this.#leave(other, fragment(self));
      this.say('', `Node ${self} does not answer. What you typed is not saved and stays here; copy it if you want to keep it. `, html('button', { type: 'button', onclick: go }, `Go on through ${other.name}`));
    } else {
      this.#leave(other, fragment(self));
    }
  }

  /** The node is there and serves nothing: another can be gone to, and is where a person wants it. */
  async closed(self, others, fragment) {
    const words = `Node ${self} serves nothing just now. `;
    this.#gone = self;
    const other = this.#notice === words ? null : await firstAlive(others);
    if (other !== null) {
      const go = () => this.#leave(other, fragment(self));
      this.say('', words, html('button', { type: 'button', onclick: go }, `Go on through ${other.name}`));
    }
  }

  /** The session is over, and something typed would be lost. */
  loggedOut(self, logIn) {
    this.#gone = self;
    this.say('', 'You are logged out. What you typed is not saved and stays here; copy it if you want to keep it. ', html('button', { type: 'button', onclick: logIn }, 'Log in'));
  }

  #leave(other, fragment) {
    this.leaving = true;
    location.replace(`${location.protocol}//${other.place}/${fragment}`);
  }

  /** One notice at a time; the same one is not said again. */
  say(kind = '', words = '', button = null) {
    if (this.#notice === words) {
      return;
    }
    this.#notice = words;
    this.#box.replaceChildren(...(words ? [html(kind ? `p.${kind}` : 'p', {}, words, button)] : []));
  }
}

/** The first of some nodes to answer /healthz; null if none does in time. */
async function firstAlive(nodes) {
  const probe = async (node) => {
    await fetch(`${location.protocol}//${node.place}/healthz`, { mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(PROBE_MILLIS) });
    return node;
  };
  return Promise.any(nodes.map(probe)).catch(() => null);
}
