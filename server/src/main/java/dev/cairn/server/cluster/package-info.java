// SPDX-License-Identifier: Apache-2.0
/**
 * The cluster's own state: members, ring and placement, epoch, the meta group and its controller.
 * Must never know keys or values.
 *
 * <p>Imports of ours: access, metrics, peer, raft.
 */
package dev.cairn.server.cluster;
