// SPDX-License-Identifier: Apache-2.0
// The ring. Round it goes by slot, so each partition is a sector; each node is a lane, a circle of its
// own. On a node's lane a partition is drawn thick where the node leads it, thin where it has a copy,
// dotted where it is the witness. The bead marks the leader: when another takes over, the bead moves to
// that node's lane.

import { svg, setText, table } from './dom.js';
import { count, several, shortNames } from './format.js';
import { standing } from './health.js';

const SLOTS = 16384;
const GAP_DEGREES = 34; // at the top, between the last slot and the first: the lanes' names
const OUTER = 204; // radius of the outermost lane
const INNER = 112;
const LABELS_MAX = 48; // more partitions than that go without their numbers
const SECTORS_MAX = 256; // of more partitions, several in a row share a sector
const ROWS_MAX = 500; // of the table
const COLOURS = 8;

export class Ring {
  #figure;
  #tableBox;
  #drawn = ''; // which nodes and partitions the picture was made for
  #sectors = []; // the elements of each, which partitions it has, and who led when it was last looked at
  #lanes = new Map(); // node name → its elements
  #centre;
  #description;
  #shown = null; // the first partition of the sector that the pointer is at
  #last = null;

  /** @param {Element} figure where the picture goes; @param {Element} tableBox where the table goes */
  constructor(figure, tableBox) {
    this.#figure = figure;
    this.#tableBox = tableBox;
  }

  /**
   * Draws a state of the cluster.
   *
   * @param {object} status the document of /v1/cluster
   */
  update(status) {
    this.#last = status;
    const key = JSON.stringify([
      status.nodes.map((node) => node.name),
      status.partitionList.map((partition) => partition.lastSlot),
    ]);
    if (key !== this.#drawn) {
      this.#drawn = key;
      this.#draw(status);
    }
    const down = new Set(status.nodes.filter((node) => !node.up).map((node) => node.name));
    for (const [name, lane] of this.#lanes) {
      lane.group.classList.toggle('down', down.has(name));
    }
    for (const sector of this.#sectors) {
      this.#updateSector(sector, status.partitionList.slice(sector.first, sector.end));
    }
    this.#tell();
    this.#updateTable(status);
  }

  /** Shows a partition; of several that share a sector, on each lane what is worst, and who leads most. */
  #updateSector(sector, partitions) {
    const roles = new Map();
    for (const partition of partitions) {
      for (const [node, role] of rolesOf(partition)) {
        if (ROLES.indexOf(role) < ROLES.indexOf(roles.get(node) ?? 'none')) {
          roles.set(node, role);
        }
      }
    }
    for (const [name, arc] of sector.arcs) {
      const role = roles.get(name) ?? 'none';
      if (arc.dataset.role !== role) {
        arc.dataset.role = role;
      }
    }
    const leader = leaderOf(partitions);
    sector.label?.classList.toggle('leaderless', leader === null);
    if (leader !== sector.leader) {
      this.#moveBead(sector, leader, sector.leader !== undefined);
      sector.leader = leader;
    }
  }

  #moveBead(sector, leader, visibly) {
    const lane = this.#lanes.get(leader);
    sector.bead.classList.toggle('lost', !lane);
    if (!lane) {
      return;
    }
    const [x, y] = point(lane.radius, sector.middle);
    sector.bead.style.transform = `translate(${x}px, ${y}px)`;
    sector.bead.dataset.colour = lane.colour;
    if (visibly) {
      const ripple = svg('circle.ripple', { cx: x, cy: y, r: 6 });
      ripple.dataset.colour = lane.colour;
      ripple.addEventListener('animationend', () => ripple.remove());
      sector.group.append(ripple);
      if (getComputedStyle(ripple).animationName === 'none') {
        ripple.remove(); // the person wants no motion
      }
    }
  }

  #draw(status) {
    const names = status.nodes.map((node) => node.name);
    const short = shortNames(names);
    const pitch = Math.min(34, (OUTER - INNER) / Math.max(1, names.length - 1));
    this.#sectors = [];
    this.#lanes.clear();
    this.#description = svg('desc', { id: 'ring-description' });
    this.#centre = [
      svg('text.centre-large', { y: -6 }),
      svg('text.centre-small', { y: 20 }),
      svg('text.centre-small', { y: 40 }),
    ];
    const lanes = svg('g', {});
    names.forEach((name, i) => {
      const radius = OUTER - i * pitch;
      const colour = String(i % COLOURS);
      const label = svg('text.lane-name', { x: 0, y: -radius }, fit(short.get(name)));
      const group = svg('g.lane', {}, svg('path.lane-line', { d: arc(radius, angle(0), angle(SLOTS)) }), label);
      group.dataset.colour = colour;
      lanes.append(group);
      this.#lanes.set(name, { group, radius, colour });
    });
    const sectors = svg('g', {});
    const beads = svg('g', {});
    const partitions = status.partitionList;
    const each = Math.ceil(partitions.length / SECTORS_MAX);
    for (let first = 0; first < partitions.length; first += each) {
      const sector = this.#sector(partitions, first, Math.min(partitions.length, first + each), pitch);
      this.#sectors.push(sector);
      sectors.append(sector.group);
      beads.append(sector.bead);
    }
    const picture = svg(
      'svg',
      { viewBox: '-250 -250 500 500', role: 'img', 'aria-labelledby': 'ring-title ring-description' },
      this.#description,
      lanes,
      sectors,
      beads,
      ...this.#centre,
    );
    picture.dataset.dense = status.partitionList.length > LABELS_MAX || pitch < 16;
    picture.addEventListener('pointerleave', () => this.#point(null));
    this.#figure.replaceChildren(picture);
  }

  #sector(partitions, first, end, pitch) {
    const margin = Math.min(1.3, 60 / partitions.length);
    const from = angle(partitions[first].firstSlot) + margin;
    const to = angle(partitions[end - 1].lastSlot + 1) - margin;
    const middle = (from + to) / 2;
    const arcs = new Map();
    for (const [name, lane] of this.#lanes) {
      const element = svg('path.arc', { d: arc(lane.radius, from, to) });
      element.dataset.colour = lane.colour;
      arcs.set(name, element);
    }
    let label = null;
    if (partitions.length <= LABELS_MAX) {
      const [x, y] = point(OUTER + 26, middle);
      label = svg('text.partition-name', { x, y }, `p${partitions[first].index}`);
    }
    const group = svg(
      'g.sector',
      { onpointerenter: () => this.#point(first), onclick: () => this.#point(first) },
      svg('path.hit', { d: wedge(OUTER - pitch * (this.#lanes.size - 1) - 14, OUTER + 40, from - margin, to + margin) }),
      ...arcs.values(),
      label,
    );
    const bead = svg('circle.bead', { r: Math.max(2.5, Math.min(7.5, pitch / 4)) });
    return { first, end, group, arcs, bead, label, middle, leader: undefined };
  }

  #point(first) {
    this.#shown = first;
    for (const sector of this.#sectors) {
      sector.group.classList.toggle('faded', first !== null && sector.first !== first);
    }
    this.#tell();
  }

  /** What stands in the middle, and what a screen reader says. */
  #tell() {
    const status = this.#last;
    const up = status.nodes.filter((node) => node.up).length;
    const short = shortNames(status.nodes.map((node) => node.name));
    const sector = this.#sectors.find((one) => one.first === this.#shown);
    const partitions = sector ? status.partitionList.slice(sector.first, sector.end) : [];
    const lines = sector
      ? [
          partitions.length === 1 ? `p${partitions[0].index}` : `p${partitions[0].index}–${partitions.at(-1).index}`,
          leaderWords(partitions, short),
          partitions.map((partition) => behind(partition, status, short)).find(Boolean) ??
            `slots ${partitions[0].firstSlot}–${partitions.at(-1).lastSlot}`,
        ]
      : [
          `${up} of ${status.nodes.length}`,
          'nodes up',
          `${several(status.partitions, 'partition')}, ${several(status.replicationFactor, 'copy', 'copies')}`,
        ];
    lines.forEach((line, i) => setText(this.#centre[i], line));
    setText(
      this.#description,
      `${up} of ${status.nodes.length} nodes up. ` +
        status.nodes
          .map((node) => `${short.get(node.name)} is ${standing(node)} and leads ${several(node.leads, 'partition')}`)
          .join('; ') +
        '. The table has every partition.',
    );
  }

  #updateTable(status) {
    if (this.#tableBox.hidden) {
      return;
    }
    const short = shortNames(status.nodes.map((node) => node.name));
    this.#tableBox.replaceChildren(
      table(
        status.partitionList.length > ROWS_MAX ? `${ROWS_MAX} of ${status.partitionList.length} partitions, those that can lose least first` : 'Partitions',
        ['Partition', 'Slots', 'Leader', 'Term', 'Copies', 'Witness', 'Can lose'],
        worstFirst(status.partitionList).map((partition) => [
          `p${partition.index}`,
          `${partition.firstSlot}–${partition.lastSlot}`,
          partition.leader === null ? 'none' : short.get(partition.leader),
          count(partition.term),
          partition.replicas
            .map(
              (replica) =>
                short.get(replica.node) +
                (!replica.up ? ` (${whyNot(status, replica)})` : lags(replica) ? ` (lags by ${count(replica.lag)})` : ''),
            )
            .join(', '),
          partition.witness ? short.get(partition.witness.node) + (!partition.witness.up ? ` (${whyNot(status, partition.witness)})` : partition.witness.counts ? '' : ' (lags)') : '–',
          String(partition.canLose),
        ]),
      ),
    );
  }
}

/** Worst first. */
const ROLES = ['down', 'lags', 'leads', 'copy', 'down witness', 'witness', 'none'];

/** A copy that is there and lacks what is older than a few seconds: it does not count. */
const lags = (replica) => replica.up && !replica.counts;

/** Why a copy does not serve: its node's state, or it has stopped there. */
function whyNot(status, replica) {
  const node = status.nodes.find(({ name }) => name === replica.node);
  return node && !node.up ? standing(node) : 'stopped';
}

function rolesOf(partition) {
  const roles = new Map();
  for (const replica of partition.replicas) {
    roles.set(replica.node, !replica.up ? 'down' : replica.node === partition.leader ? 'leads' : lags(replica) ? 'lags' : 'copy');
  }
  if (partition.witness) {
    roles.set(partition.witness.node, partition.witness.up ? 'witness' : 'down witness');
  }
  return roles;
}

/** Who leads most of some partitions; null if one of them has no leader. */
function leaderOf(partitions) {
  const led = new Map();
  for (const { leader } of partitions) {
    if (leader === null) {
      return null;
    }
    led.set(leader, (led.get(leader) ?? 0) + 1);
  }
  return [...led].sort(([, a], [, b]) => b - a)[0][0];
}

function leaderWords(partitions, short) {
  const leader = leaderOf(partitions);
  if (leader === null) {
    return 'no leader';
  }
  return partitions.length === 1 ? `led by ${short.get(leader)} in term ${count(partitions[0].term)}` : `most led by ${short.get(leader)}`;
}

const worstFirst = (partitions) =>
  partitions.length > ROWS_MAX ? [...partitions].sort((a, b) => a.canLose - b.canLose).slice(0, ROWS_MAX) : partitions;

function behind(partition, status, short) {
  return partition.replicas
    .filter((replica) => !replica.up || lags(replica))
    .map((replica) => `${short.get(replica.node)} ${replica.up ? `lags by ${count(replica.lag)}` : `is ${whyNot(status, replica)}`}`)
    .join(', ');
}

const fit = (name) => (name.length > 11 ? `…${name.slice(-10)}` : name);

const angle = (slot) => -90 + GAP_DEGREES / 2 + (slot / SLOTS) * (360 - GAP_DEGREES);

function point(radius, degrees) {
  const radians = (degrees * Math.PI) / 180;
  return [Math.cos(radians) * radius, Math.sin(radians) * radius].map((n) => Math.round(n * 100) / 100);
}

function arc(radius, from, to) {
  const large = to - from > 180 ? 1 : 0;
  return `M${point(radius, from)}A${radius} ${radius} 0 ${large} 1 ${point(radius, to)}`;
}

function wedge(inner, outer, from, to) {
  const large = to - from > 180 ? 1 : 0;
  return `${arc(outer, from, to)}L${point(inner, to)}A${inner} ${inner} 0 ${large} 0 ${point(inner, from)}Z`;
}
