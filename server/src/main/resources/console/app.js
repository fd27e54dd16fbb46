// SPDX-License-Identifier: Apache-2.0
// The console. Once a second it asks its node for the state and draws it; what a person does with keys
// goes its own way. The address' fragment says what is shown (#keys?prefix=a&key=ab), so that it can be
// kept, shared, and carried to another node.

import * as api from './api.js';
import { Charts } from './charts.js';
import { byId, setText } from './dom.js';
import { Failover } from './failover.js';
import { authority } from './format.js';
import { facts, health, isClosed, notProtected } from './health.js';
import { Keys } from './keys.js';
import { Nodes } from './nodes.js';
import { Rights } from './rights.js';
import { Ring } from './ring.js';
import { SlowLog } from './slowlog.js';

const EVERY_MILLIS = 1000;
const LATE_MAX = 2;
const PAST_AFTER_SECONDS = 10; // after so long without a look the node is asked what was meanwhile
const WHO_EVERY_MILLIS = 10_000; // so often the node is asked what one may do
const VIEWS = { overview: ['cluster'], keys: ['list', 'read', 'write'], slowlog: ['slowLog'] }; // and one of what each needs
const TITLES = { ok: 'All is well', warn: 'Not all is well', bad: 'Keys out of reach' };

const ring = new Ring(byId('ring'), byId('ring-table'));
const charts = new Charts(byId('rates'), byId('rates-now'), byId('latency'), byId('latency-now'));
const nodes = new Nodes(byId('nodes'));
const slowLog = new SlowLog(api, byId('slowlog-table'), byId('slowlog-hint'));
const rights = new Rights();
const keys = new Keys(api, rights, (state) => remember('keys', state));
const failover = new Failover(byId('notices'), () => keys.editor.dirty);

let last = null; // the state that was drawn last
let members = []; // the nodes, as they were last told of
let served = null; // where the nodes were when the page was: its policy names these places
let view = '';

// ---- What is shown ----

function address() {
  const [name, query = ''] = location.hash.slice(1).split('?');
  const asked = name in VIEWS ? name : 'overview';
  const open = [asked, ...Object.keys(VIEWS)].find((one) => rights.may(...VIEWS[one]));
  return { name: open ?? 'overview', query: new URLSearchParams(query) };
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
  for (const one of Object.keys(VIEWS)) {
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

// ---- Who one is ----

let askedWho = 0; // when, milliseconds since 1970

/** Asks who one is and what one may do, where that may have changed. */
async function who() {
  if (Date.now() - askedWho < WHO_EVERY_MILLIS) {
    return;
  }
  const session = await api.session();
  askedWho = Date.now();
  if (rights.take(session)) {
    setText(byId('user'), rights.user);
    byId('who').hidden = !rights.mayEnd && rights.user === 'default'; // nobody in particular
    byId('log-out').hidden = !rights.mayEnd;
    for (const link of document.querySelectorAll('nav a')) {
      link.dataset.needs = VIEWS[link.dataset.view].join(' ');
    }
    rights.apply(document.body);
    if (view !== '' && address().name !== view) {
      show({ focus: false });
    }
  }
}

/** The session is over: the login page says why, once nothing typed is lost by that. */
function loggedOut() {
  if (keys.editor.dirty) {
    failover.loggedOut(last?.answeredBy ?? location.host, logIn);
  } else {
    logIn();
  }
}

function logIn() {
  failover.leaving = true;
  location.reload();
}

byId('log-out').addEventListener('click', async () => {
  if (await keys.editor.mayLeave()) {
    failover.leaving = true;
    try {
      await api.logOut();
      location.replace('/'); // nothing of what was shown is left for who logs in next
    } catch (failure) {
      failover.leaving = false;
      failover.say('', `Still logged in: ${failure.message}`);
    }
  }
});

// ---- The state ----

let asking = false;
let met = false; // whether the node has answered at all
let late = 0; // answers in a row that did not come in time; one alone may be a busy moment

async function tick() {
  if (asking || document.hidden || failover.leaving) {
    return;
  }
  asking = true;
  try {
    await who();
    if (rights.may('cluster')) {
      await look();
    } else {
      drawUnseen();
    }
    if (view === 'slowlog' && rights.may('slowLog')) {
      await slowLog.update();
    }
  } catch (failure) {
    await failed(failure);
  } finally {
    asking = false;
  }
}

async function look() {
  if (rights.may('stats') && Math.abs(Date.now() / 1000 - charts.shownUntil) > PAST_AFTER_SECONDS) {
    await catchUp();
  }
  const status = await api.status();
  draw(status);
  charts.add(status.nodes ?? []);
  if (isClosed(status)) {
    late = 0;
    await failover.closed(status.answeredBy, places(status.answeredBy), (from) => carried({ from }));
  } else {
    heard(status.answeredBy);
  }
}

/** The node answers. */
function heard(self) {
  late = 0;
  if (failover.back() || !met) {
    failover.announce(self);
  }
  met = true;
}

async function failed(failure) {
  if (failover.leaving) {
    return;
  }
  if (failure instanceof api.Gone) {
    late += failure.late ? 1 : LATE_MAX;
    if (late >= LATE_MAX) {
      await gone();
    }
  } else if (failure.status === 401) {
    loggedOut();
  } else if (failure.status === 403) {
    askedWho = 0; // what one may do has changed
  } else {
    console.warn('the state cannot be drawn:', failure);
  }
}

function draw(status) {
  const stand = (status.nodes ?? []).map(authority).sort().join();
  served ??= stand;
  if (stand !== served && status.clusterId !== '' && !keys.editor.dirty) {
    failover.leaving = true;
    location.reload(); // for a policy with which it can go on through nodes that came or moved
    return;
  }
  last = status;
  members = status.nodes ?? members;
  drawHealth(health(status), status.answeredBy);
  byId('not-protected').hidden = notProtected(status) === '';
  setText(byId('not-protected'), notProtected(status));
  setText(byId('facts'), facts(status));
  document.body.toggleAttribute('data-blind', isClosed(status));
  if (status.clusterId !== '') {
    ring.update(status);
  }
  drawNodes();
  keys.editor.tick();
}

/** Where one may not see how the cluster is. */
function drawUnseen() {
  last = null;
  drawHealth({ level: 'none', sentence: rights.why('cluster'), reserve: '', todo: [] }, location.host);
  byId('not-protected').hidden = true;
  setText(byId('facts'), '');
  document.body.toggleAttribute('data-blind', true);
  askedWho = 0; // that is what tells whether the node is there
  keys.editor.tick();
  heard(location.host);
}

function drawHealth({ level, sentence, reserve, todo }, self) {
  byId('health').dataset.level = level;
  setText(byId('sentence'), sentence);
  setText(byId('reserve'), reserve);
  drawTodo(todo);
  document.title = TITLES[level] ? `${TITLES[level]} · Cairn` : 'Cairn';
  document.body.classList.remove('gone');
  setText(byId('via'), self);
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
  await failover.goOn(self, places(self), (from) => carried({ from }));
}

/** Where the other nodes are, the likeliest to answer first. */
function places(self) {
  const others = members.filter((node) => node.name !== self).sort((a, b) => Number(b.up) - Number(a.up));
  return others.map((node) => ({ name: node.name, place: authority(node) }));
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
await who().catch(failed);
show({ focus: false });
tick();
setInterval(tick, EVERY_MILLIS);
document.addEventListener('visibilitychange', tick);
