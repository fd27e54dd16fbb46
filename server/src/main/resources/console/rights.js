// SPDX-License-Identifier: Apache-2.0
// Who one is, and what one may do, as the node says (GET /v1/session). What one may not do stands where it always
// stands, disabled, and its title says which right it takes. Elements name what they need: data-needs="list read", one
// of these; data-tells="write" is a sentence that is shown to who may not.

/** The command whose right each takes; docs/reference/http.md has the same. */
const COMMANDS = {
  cluster: 'cairn|status',
  stats: 'info',
  slowLog: 'slowlog|get',
  list: 'scan',
  read: 'get',
  write: 'set',
  delete: 'del',
};

export class Rights {
  #session = null; // null: not known yet; the node refuses what one may not

  /** Takes what the node says; whether it is another than before. */
  take(session) {
    const changed = JSON.stringify(session) !== JSON.stringify(this.#session);
    this.#session = session;
    return changed;
  }

  /** Whether one may do one of these. */
  may(...names) {
    return this.#session === null || names.some((name) => this.#session.may[name]);
  }

  /** Why one may not, in a sentence. */
  why(...names) {
    return `The user ${this.user} may not do this: it takes the right ${names.map((name) => `+${COMMANDS[name]}`).join(' or ')}.`;
  }

  /** The user's name. */
  get user() {
    return this.#session?.user ?? atob(this.#session?.userBase64 ?? '');
  }

  /** Whether one has logged in, and so can log out. */
  get mayEnd() {
    return this.#session?.mayEnd ?? false;
  }

  /** Disables what one may not do within an element, and enables the rest. */
  apply(root) {
    for (const element of root.querySelectorAll('[data-needs]')) {
      const needs = element.dataset.needs.split(' ');
      offer(element, this.may(...needs) ? null : this.why(...needs));
    }
    for (const element of root.querySelectorAll('[data-tells]')) {
      const needs = element.dataset.tells.split(' ');
      element.hidden = this.may(...needs);
      element.textContent = element.hidden ? '' : this.why(...needs);
    }
  }
}

/** Offers something, or says by its title why not. */
function offer(element, why) {
  if (why === null) {
    element.removeAttribute('title');
  } else {
    element.title = why;
  }
  if (element instanceof HTMLAnchorElement) {
    link(element, why === null);
  } else if (element instanceof HTMLTextAreaElement || element.type === 'number') {
    element.readOnly = why !== null || 'fixed' in element.dataset; // what it holds can still be read and copied
  } else {
    element.disabled = why !== null;
  }
}

/** A link that leads nowhere is no link: its place is kept. */
function link(element, leads) {
  if (leads && element.dataset.href) {
    element.setAttribute('href', element.dataset.href);
    element.removeAttribute('aria-disabled');
    element.removeAttribute('role');
    delete element.dataset.href;
  } else if (!leads && element.hasAttribute('href')) {
    element.dataset.href = element.getAttribute('href');
    element.removeAttribute('href');
    element.setAttribute('aria-disabled', 'true');
    element.setAttribute('role', 'link');
  }
}
