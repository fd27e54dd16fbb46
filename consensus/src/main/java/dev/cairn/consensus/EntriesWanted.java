// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * Entries that a leader has to send and does not have in memory. The answer is {@link
 * Group#loaded}.
 *
 * @param peer for whom
 * @param from the first index
 * @param bytesMax about how much at once; at least one entry
 */
public record EntriesWanted(Peer peer, long from, long bytesMax) {}
