// SPDX-License-Identifier: Apache-2.0
/**
 * The network between the nodes of one machine, in this process and without any right that a user
 * does not have: {@link dev.cairn.testkit.network.PeerNetwork} passes on what nodes send each
 * other, or does not.
 *
 * <p>Knows addresses and processes, nothing of Cairn.
 */
package dev.cairn.testkit.network;
