// SPDX-License-Identifier: Apache-2.0
/**
 * What a node counts and measures, under names by Prometheus' conventions. A leaf: every package
 * may use it and it knows none. Owns Micrometer.
 *
 * <p>Imports nothing of ours.
 */
package dev.cairn.server.metrics;
