// SPDX-License-Identifier: Apache-2.0
/**
 * Users and what they may do, in Redis' words: rules are read, commands and keys compared with
 * them, passwords checked. Knows the commands by a {@link dev.cairn.server.access.Catalog} only;
 * never knows a connection, a partition or how rights reach the other nodes.
 *
 * <p>{@link dev.cairn.server.access.Users} is the table, {@link dev.cairn.server.access.User} one
 * row of it, {@link dev.cairn.server.access.AccessControl} what a node acts on.
 *
 * <p>Imports of ours: value.
 */
package dev.cairn.server.access;
