// SPDX-License-Identifier: Apache-2.0
/**
 * From key to the node that answers: local group or forwarded to a peer, under one deadline. Must
 * never know a command's name.
 *
 * <p>Imports of ours: cluster, metrics, operation, partition, peer, protocol.
 */
package dev.cairn.server.routing;
