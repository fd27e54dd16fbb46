// SPDX-License-Identifier: Apache-2.0
// The cluster's health in a sentence, from the document of /v1/cluster. Pure.

import { age, count, listed, several, shortNames } from './format.js';

/** Whether the node that answers serves nothing just now, and so tells of no other. */
export const isClosed = (status) => status.problems.some((problem) => problem.name === 'node-closed');

/** What lets everybody in, node for node; empty where nothing does. */
export const notProtected = ({ notProtected: why }) =>
  why ? `NOT PROTECTED: ${why}. docs/guide/secure.md says how to mend that.` : '';

/** The cluster and what this node has of it, in a line. */
export function facts(status) {
  if (status.clusterId === '') {
    return '';
  }
  const days = status.certificateDays;
  return [
    `Cluster ${status.clusterId.slice(0, 12)}`,
    `epoch ${count(status.epoch)}`,
    `${count(status.partitions)} partitions`,
    `replication factor ${status.replicationFactor}`,
    ...(days === undefined ? [] : [days < 0 ? 'certificates expired' : `certificates good for ${several(days, 'day')}`]),
  ].join(' · ');
}

/**
 * What a person needs first.
 *
 * @param {object} status the document (docs/reference/formats.md)
 * @returns {{level: 'ok'|'warn'|'bad', sentence: string, reserve: string, todo: string[]}} reserve says
 *     what may still fail
 */
export function health(status) {
  const nodes = status.nodes ?? [];
  const partitions = status.partitionList ?? [];
  const up = nodes.filter((node) => node.up).length;
  const ofNodes = `${count(up)} of ${several(nodes.length, 'node')} ${up === 1 ? 'is' : 'are'} up`;
  const leaderless = partitions.filter((partition) => partition.leader === null);
  const todo = status.problems.map(line);
  if (isClosed(status)) {
    return { level: 'bad', sentence: 'This node serves nothing just now.', reserve: '', todo };
  }
  if (partitions.length === 0) {
    return { level: 'bad', sentence: 'The cluster has not formed yet.', reserve: '', todo };
  }
  if (leaderless.length > 0) {
    return {
      level: 'bad',
      sentence: `${several(leaderless.length, 'partition')} of ${partitions.length} cannot be read or written now; ${ofNodes}.`,
      reserve: '',
      todo,
    };
  }
  if (!status.healthy) {
    return {
      level: 'warn',
      sentence: `Every key is served, but not all is well: ${ofNodes}.`,
      reserve: reserve(status),
      todo,
    };
  }
  return {
    level: 'ok',
    sentence: `All is well: ${ofNodes}, and every partition has its leader and all its copies.`,
    reserve: `Nothing to do. ${reserve(status)}`,
    todo,
  };
}

/** What can be lost and the cluster goes on. */
function reserve(status) {
  const least = Math.min(...status.partitionList.map((partition) => partition.canLose));
  const up = status.nodes.filter((node) => node.up).map((node) => node.name);
  if (least > 0) {
    return `It can lose ${least === 1 ? 'any one node' : `any ${least} nodes`} and go on, with nothing lost.`;
  }
  const needed = up.filter((name) =>
    status.partitionList.some(
      (partition) =>
        partition.canLose === 0 &&
        (partition.witness?.node === name || partition.replicas.some((replica) => replica.node === name)),
    ),
  );
  const short = shortNames(status.nodes.map((node) => node.name));
  return needed.length === up.length
    ? `It cannot lose ${up.length === status.nodes.length ? 'any' : 'another'} node.`
    : `It cannot lose ${listed(needed.map((name) => short.get(name)))}.`;
}

/** A problem with its name and age. */
function line({ name, state, ageMillis, text }) {
  const more = state === 'pending' ? ', pending' : state === 'clearing' ? ', and over: clearing' : '';
  return `${text} (${name} for ${age(ageMillis / 1000)}${more})`;
}

/**
 * How a node stands to the one that answers: it is up when it is heard and reached.
 *
 * @param {object} node of the document
 * @returns {'up'|'not reached'|'not heard'|'down'}
 */
export function standing(node) {
  if (node.up) {
    return 'up';
  }
  return node.heard ? 'not reached' : node.reached ? 'not heard' : 'down';
}
