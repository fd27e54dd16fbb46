// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

/**
 * The first byte of every message of ours between nodes. Numbers are never reused; a node that is
 * sent one it does not know says so in its log and gives no answer.
 */
public final class PeerMessageKind {
  /** {@link Formation}: who are you, what do you belong to? */
  public static final byte HELLO = 1;

  /** {@link Membership}: a node's report of itself. */
  public static final byte REPORT = 2;

  /** Writes forwarded to a partition's leader. */
  public static final byte WRITE = 3;

  /** Reads forwarded to a partition's leader. */
  public static final byte READ = 4;

  /** Wait until a log entry is on the receiver's disk, or applied there. */
  public static final byte AWAIT_LOG = 5;

  /** Reads of the receiver's own replica, whoever leads. */
  public static final byte READ_OWN = 6;

  /** Where does a cursor go on that the receiver made? */
  public static final byte SCAN_POSITION = 7;

  /** What does the receiver tell of itself: a topic, answered in JSON. */
  public static final byte DOCUMENT = 8;

  /** The sender has started: is its data folder an older copy? */
  public static final byte START = 9;

  /** {@link RightsLog}: change the rights of the cluster. */
  public static final byte RIGHTS = 10;

  /** A replica's data, from node to node: make a copy. */
  public static final byte COPY_OPEN = 17;

  /** Give a piece of a file of a copy. */
  public static final byte COPY_PIECE = 18;

  /** A copy is no longer needed. */
  public static final byte COPY_CLOSE = 19;

  /** What a round of a node's groups has for another node. */
  public static final byte ROUND = 16;

  private PeerMessageKind() {}
}
