// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.util.List;

/**
 * The members with which a group began. What its log says counts for more.
 *
 * @param voters who votes; none for a member that came later: it is told by the leader, and one
 *     that made them up could elect itself
 * @param learners who follows without a vote
 * @param witnesses those of the voters that hold no data
 */
public record Founders(List<Peer> voters, List<Peer> learners, List<Peer> witnesses) {
  /** What a member knows that came later. */
  public static final Founders UNKNOWN = new Founders(List.of(), List.of(), List.of());
}
