// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * A snapshot that this member should fetch. The answer is {@link Group#installed} or {@link
 * Group#installFailed}.
 *
 * @param from who has it
 * @param reference the least that it covers
 */
public record SnapshotOffer(Peer from, SnapshotReference reference) {}
