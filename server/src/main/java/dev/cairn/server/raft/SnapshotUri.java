// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a snapshot is to be had, as it travels in JRaft's InstallSnapshotRequest.
 *
 * <pre>
 *   uri     := "cairn-snapshot-" version "://" node "/" reader "/" content
 *   version := 2
 *   content := "data" | "meta"       meta: from a witness, which has no data to give
 * </pre>
 *
 * @param nodeId the sender's id
 * @param reader the number under which its file service knows the snapshot
 * @param hasData whether data can be had there
 */
record SnapshotUri(String nodeId, long reader, boolean hasData) {
  private static final int VERSION = 2;
  private static final int LENGTH_MAX = 512;
  private static final Pattern GRAMMAR =
      Pattern.compile("cairn-snapshot-(\\d{1,5})://(.+)"); // of every version
  private static final Pattern BODY =
      Pattern.compile("([^/:]+)/(\\d{1,19})/(data|meta)"); // of version 2

  @Override
  public String toString() {
    return "cairn-snapshot-%d://%s/%d/%s"
        .formatted(VERSION, nodeId, reader, hasData ? "data" : "meta");
  }

  /**
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static SnapshotUri parse(String uri) {
    Matcher outer = GRAMMAR.matcher(uri.length() > LENGTH_MAX ? "" : uri);
    if (!outer.matches()) {
      throw new IllegalArgumentException("no address of a Cairn snapshot");
    }
    if (Integer.parseInt(outer.group(1)) != VERSION) {
      throw new IllegalArgumentException(
          "a snapshot in version %s, and this node knows %d: upgrade the older node"
              .formatted(outer.group(1), VERSION));
    }
    Matcher body = BODY.matcher(outer.group(2));
    if (!body.matches()) {
      throw new IllegalArgumentException("a malformed address of a snapshot: " + uri);
    }
    return new SnapshotUri(
        body.group(1), Long.parseLong(body.group(2)), body.group(3).equals("data"));
  }
}
