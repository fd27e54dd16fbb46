// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * A voter and what it keeps.
 *
 * @param peer who
 * @param role what it keeps; it never changes for one peer
 */
public record Member(Peer peer, Role role) {}
