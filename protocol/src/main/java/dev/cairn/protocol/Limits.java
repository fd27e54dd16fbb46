// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

/**
 * The bounds that both sides know. A request past one is refused whole, with a message that names
 * the bound; nothing is allocated for what a peer merely claims.
 */
public final class Limits {
  /** Shortest key, bytes. Redis allows the empty key; Cairn does not. */
  public static final int KEY_BYTES_MIN = 1;

  /** Longest key, bytes. */
  public static final int KEY_BYTES_MAX = 65_536;

  /** Longest value, bytes, unless the node is configured otherwise. */
  public static final int VALUE_BYTES_MAX_DEFAULT = 16 * 1024 * 1024;

  /** Longest inline command and longest header line of a RESP request, bytes without its end. */
  public static final int LINE_BYTES_MAX = 64 * 1024;

  /** Most arguments of one command, its name included. */
  public static final int ARGUMENTS_MAX = 1024 * 1024;

  /** Deepest nesting of a reply. */
  public static final int REPLY_DEPTH_MAX = 32;

  /** Most elements of one aggregate in a reply. */
  public static final int REPLY_ELEMENTS_MAX = 16 * 1024 * 1024;

  /** Longest bulk string in a reply, bytes: Redis' own bound. */
  public static final int REPLY_BULK_BYTES_MAX = 512 * 1024 * 1024;

  private Limits() {}
}
