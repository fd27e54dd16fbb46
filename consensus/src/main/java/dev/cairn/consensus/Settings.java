// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

/**
 * The times and bounds of a group. All nodes of a cluster use the same.
 *
 * @param electionMillis a follower that hears no leader for so long, and up to twice that, stands
 * @param witnessExtraMillis a witness waits so much longer, so that a replica wins where it can
 * @param beatMillis how often a leader says that it leads
 * @param commitNewsMillis how long a follower may be left without news of what was committed
 * @param witnessPaceMillis how long entries for a witness are gathered while the replicas are
 *     prompt
 * @param transferMillis how long a leader refuses proposals while it hands over
 * @param appendBytesMax of one message's entries; a single larger entry travels alone
 * @param windowBytesMax sent to one peer and not yet answered
 * @param promotionLagMax a replica may begin to vote when it lacks at most so many entries, so that
 *     a joint configuration lasts moments and not the copy of all data
 * @param sharedBeats whether a {@link Shard} says for all groups at once who leads; a group then
 *     beats only to whom it has something to say
 * @param tailBytesMax of entries kept in memory, beside those that are not durable yet
 */
public record Settings(
    long electionMillis,
    long witnessExtraMillis,
    long beatMillis,
    long commitNewsMillis,
    long witnessPaceMillis,
    long transferMillis,
    long promotionLagMax,
    boolean sharedBeats,
    int appendBytesMax,
    int windowBytesMax,
    int tailBytesMax) {
  /** What a node uses. */
  public static final Settings DEFAULT =
      new Settings(700, 500, 100, 20, 20, 1000, 16, true, 256 << 10, 4 << 20, 1 << 20);

  public Settings {
    if (beatMillis * 2 > electionMillis) {
      throw new IllegalArgumentException("a leader must beat at least twice in an election time");
    }
  }
}
