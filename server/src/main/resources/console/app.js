// SPDX-License-Identifier: Apache-2.0
// The console. Once a second it asks its node for the state and draws it; what a person does with keys
// goes its own way. The address' fragment says what is shown (#keys?prefix=a&key=ab), so that it can be
// kept, shared, and carried to another node.

import * as api from './api.js';
import { Charts } from './charts.js';
import { byId, setText } from './dom.js';
import { Failover } from './failover.js';
import { authority, count } from './format.js';
import { health } from './health.js';
import { Keys } from './keys.js';
import { Nodes } from './nodes.js';
import { Ring } from './ring.js';
import { SlowLog } from './slowlog.js';

const EVERY_MILLIS = 1000;
const LATE_MAX = 2;
const PAST_AFTER_SECONDS = 10; // after so long without a look the node is asked what was meanwhile
const VIEWS = ['overview', 'keys', 'slowlog'];
const TITLES = { ok: 'All is well', warn: 'Not all is well', bad: 'Keys out of reach' };

const ring = new Ring(byId('ring'), byId('ring-table'));
const charts = new Charts(byId('rates'), byId('rates-now'), byId('latency'), byId('latency-now'));
const nodes = new Nodes(byId('nodes'));
const slowLog = new SlowLog(api, byId('slowlog-table'), byId('slowlog-hint'));
const keys = new Keys(api, (state) => remember('keys', state));
const failover = new Failover(byId('notices'), () => keys.editor.dirty);

let last = null; // the state that was drawn last
let served = null; // where the nodes were when the page was: its policy names these places
let view = '';

// ---- What is shown ----

function address() {
  const [name, query = ''] = location.hash.slice(1).split('?');
  return { name: VIEWS.includes(name) ? name : 'overview', query: new URLSearchParams(query) };
}

/** The fragment of a view; the colours go along to another node, whose storage is another. */
function fragment(name, state) {
  const query = new URLSearchParams(Object.entries(state).filter(([, value]) => value));
  return `#${name}${query.size > 0 ? `?${query}` : ''}`;
}

function remember(name, state) {
  history.replaceState(null, '', fragment(name, state));
}

async function show({ focus }) {
  const { name, query } = address();
  const changed = name !== view;
  view = name;
  document.body.dataset.view = name;
  for (const one of VIEWS) {
    byId(`view-${one}`).hidden = one !== name;
  }
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === name) {
      link.setAttribute('aria-current', 'page');
    } else {
      link.removeAttribute('aria-current');
    }
  }
  if (changed && focus) {
    byId(`${name}-title`).focus();
  }
  if (changed && name === 'keys') {
    await keys.show(query.get('prefix') ?? '', query.get('key') ?? '');
  }
  if (changed && name === 'slowlog') {
    await tick();
  }
  drawNodes();
}

addEventListener('hashchange', () => show({ focus: true }));
addEventListener('beforeunload', (event) => {
  if (keys.editor.dirty && !failover.leaving) {
    event.preventDefault();
  }
});

// ---- The state ----

let asking = false;
let late = 0; // answers in a row that did not come in time; one alone may be a busy moment

async function tick() {
  if (asking || document.hidden || failover.leaving) {
    return;
  }
  asking = true;
  try {
    if (Math.abs(Date.now() / 1000 - charts.shownUntil) > PAST_AFTER_SECONDS) {
      await catchUp();
    }
    const status = await api.status();
    late = 0;
    const heard = last === null || failover.back();
    draw(status);
    charts.add(status.nodes ?? []);
    if (heard) {
      failover.announce(status.answeredBy);
    }
    if (view === 'slowlog') {
      await slowLog.update();
    }
  } catch (failure) {
    if (failure instanceof api.Gone) {
      late += failure.late ? 1 : LATE_MAX;
      if (late >= LATE_MAX) {
        await gone();
      }
    } else {
      console.warn('the state cannot be drawn:', failure);
    }
  } finally {
    asking = false;
  }
}

function draw(status) {
  const places = (status.nodes ?? []).map(authority).sort().join();
  served ??= places;
  if (places !== served && status.clusterId !== '' && !keys.editor.dirty) {
    failover.leaving = true;
    location.reload(); // for a policy with which it can go on through nodes that came or moved
    return;
  }
  last = status;
  const { level, sentence, reserve, todo } = health(status);
  byId('health').dataset.level = level;
  setText(byId('sentence'), sentence);
  setText(byId('reserve'), reserve);
  drawTodo(todo);
  document.title = `${TITLES[level]} · Cairn`;
  document.body.classList.remove('gone');
  setText(byId('via'), status.answeredBy);
  setText(
    byId('facts'),
    status.clusterId === ''
      ? ''
      : `Cluster ${status.clusterId.slice(0, 12)} · epoch ${count(status.epoch)} · ${count(status.partitions)} partitions · replication factor ${status.replicationFactor}`,
  );
  if (status.clusterId !== '') {
    ring.update(status);
  }
  drawNodes();
  keys.editor.tick();
}

function drawNodes() {
  if (last !== null) {
    nodes.update(last.nodes ?? [], last.answeredBy, (node) => `${location.protocol}//${authority(node)}/${carried()}`);
  }
}

function drawTodo(todo) {
  const list = byId('todo');
  while (list.children.length > todo.length) {
    list.lastElementChild.remove();
  }
  todo.forEach((line, i) => setText(list.children[i] ?? list.appendChild(document.createElement('li')), line));
}

/** Draws what was while nobody looked: before the page was opened, or while it was in the background. */
async function catchUp() {
  try {
    charts.past((await api.history()).points);
  } catch (failure) {
    console.debug('the past is not drawn:', failure.message); // whether the node is there is seen elsewhere
  }
}

// ---- The node is gone ----

async function gone() {
  document.body.classList.add('gone');
  const self = last?.answeredBy ?? location.host;
  setText(byId('via'), `${self} does not answer`);
  document.title = 'Node gone · Cairn';
  const others = (last?.nodes ?? []).filter((node) => node.name !== self).sort((a, b) => Number(b.up) - Number(a.up));
  await failover.goOn(self, others.map((node) => ({ name: node.name, place: authority(node) })), (from) => carried({ from }));
}

/** What the console at another node is to show: the same. */
function carried(more = {}) {
  const { name, query } = address();
  const theme = document.documentElement.dataset.theme;
  return fragment(name, { ...Object.fromEntries(query), ...(theme ? { theme } : {}), ...more });
}

// ---- Buttons ----

byId('ring-table-button').addEventListener('click', (event) => {
  const shown = byId('ring-table').hidden;
  byId('ring-table').hidden = !shown;
  event.target.setAttribute('aria-expanded', String(shown));
  setText(event.target, shown ? 'Hide table' : 'Show as table');
  if (last !== null) {
    draw(last);
  }
});

const THEMES = { auto: 'light', light: 'dark', dark: 'auto' };
const THEME_WORDS = { auto: 'as the system', light: 'light', dark: 'dark' };

byId('theme').addEventListener('click', () => setTheme(THEMES[document.documentElement.dataset.theme ?? 'auto']));

function setTheme(theme) {
  if (theme === 'auto') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
  byId('theme').setAttribute('aria-label', `Colours: ${THEME_WORDS[theme]}`);
  try {
    localStorage.setItem('theme', theme);
  } catch {
    // Storage is forbidden: the choice lasts as long as the page.
  }
  charts.draw();
  drawNodes();
}

// ---- Begin ----

{
  const { name, query } = address();
  failover.cameFrom(query.get('from'));
  setTheme(query.get('theme') ?? document.documentElement.dataset.theme ?? 'auto');
  query.delete('from');
  query.delete('theme');
  remember(name, Object.fromEntries(query));
}
show({ focus: false });
tick();
setInterval(tick, EVERY_MILLIS);
document.addEventListener('visibilitychange', tick);
