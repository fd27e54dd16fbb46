// SPDX-License-Identifier: Apache-2.0
/**
 * One Cairn process: its command line, configuration, identity on disk, start and stop. Builds
 * every other part by constructor, in one place. Nothing may touch it.
 *
 * <p>Imports of ours: access, cluster, command, http, metrics, operation, partition, peer,
 * protocol, raft, replication, resp, routing, storage, tls.
 */
package dev.cairn.server.node;
