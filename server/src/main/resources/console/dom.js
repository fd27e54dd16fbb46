// SPDX-License-Identifier: Apache-2.0
// Elements without inline markup: text is always text, whatever bytes it came from.

const SVG = 'http://www.w3.org/2000/svg';

/** The element with an id of index.html. */
export const byId = (id) => document.getElementById(id);

/**
 * An HTML element.
 *
 * @param {string} name tag, with classes after dots: 'p.hint'
 * @param {object} attributes attributes; on… are listeners; null and false are left out
 * @param {...(Node|string|null)} children text or elements
 */
export function html(name, attributes = {}, ...children) {
  return build((tag) => document.createElement(tag), name, attributes, children);
}

/** An SVG element; as html. */
export function svg(name, attributes = {}, ...children) {
  return build((tag) => document.createElementNS(SVG, tag), name, attributes, children);
}

function build(create, name, attributes, children) {
  const [tag, ...classes] = name.split('.');
  const element = create(tag);
  if (classes.length > 0) {
    element.classList.add(...classes);
  }
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) {
      element.addEventListener(key.slice(2), value);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? '' : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Sets a text only where it changes: a live region speaks of changes alone. */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** A table from rows of texts or elements; the first column names the row. */
export function table(caption, columns, rows) {
  return html(
    'table',
    {},
    html('caption.hidden-text', {}, caption),
    html('thead', {}, html('tr', {}, ...columns.map((column) => html('th', { scope: 'col' }, column)))),
    html(
      'tbody',
      {},
      ...rows.map((cells) =>
        html(
          'tr',
          {},
          ...cells.map((cell, i) => (i === 0 ? html('th', { scope: 'row' }, cell) : html('td', {}, cell))),
        ),
      ),
    ),
  );
}
