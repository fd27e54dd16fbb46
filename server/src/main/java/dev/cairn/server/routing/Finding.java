// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

/**
 * Something that is wrong at one look ({@link ClusterHealth}). What lasts becomes a problem ({@link
 * Problems}).
 *
 * @param kind what it is
 * @param subject the node that it is of, by name; empty when it is the cluster's
 * @param lastedMillis how long it had lasted at this look, as far as can be told from the look
 *     alone
 * @param text what is wrong and what to do, for a person
 */
record Finding(ProblemKind kind, String subject, long lastedMillis, String text) {}
