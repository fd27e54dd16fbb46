// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * What a voter may never forget.
 *
 * @param term the highest it has seen
 * @param votedFor whom it voted for in that term; null for nobody
 */
public record HardState(long term, Peer votedFor) {}
