// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import java.util.List;

/**
 * All that one node has for another at the end of a round.
 *
 * @param from the node that sends it
 * @param to the node that is to have it
 * @param session of the sender's process; each start has a higher one. What an earlier process sent
 *     is dropped.
 * @param beat which groups the sender leads; null in most batches
 * @param reply answers a beat; null if there was none
 * @param messages of groups, in their order
 */
public record Batch(
    String from, String to, long session, Beat beat, BeatReply reply, List<Envelope> messages) {
  /** A message and the group that it belongs to. */
  public record Envelope(long group, Message message) {}

  /** A group that a node leads, and its member at the node that is told so. */
  public record Led(long group, Peer leader, Peer member, long term) {}

  /**
   * Says that the sender is there and leads what its list has. A group that is not in it counts as
   * silent.
   *
   * @param version of the list for this receiver; it grows by each change
   * @param led the list; null if the receiver has said that it has this version
   * @param question the latest question whether the sender still leads
   */
  public record Beat(long version, List<Led> led, long question) {}

  /**
   * Says that the members here follow the receiver in all groups of a list, but for some.
   *
   * @param session of the process that sent the list
   * @param version of the list that the sender of this has; 0 for none
   * @param question the question that this answers
   * @param silent groups of the list that do not follow
   */
  public record BeatReply(long session, long version, long question, List<Long> silent) {}
}
