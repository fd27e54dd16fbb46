// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The numbers under which the log and other nodes know groups. The meta group is 1, partition n is
 * n + 2. They are the same on all nodes, and a cluster's groups are never renumbered.
 */
final class GroupNumbers {
  private static final Pattern NAME = Pattern.compile(".+-(?:meta|p(\\d{1,9}))");
  private static final long META = 1;
  private static final long FIRST_PARTITION = 2;

  private GroupNumbers() {}

  /**
   * The number of a group.
   *
   * @param name as {@link dev.cairn.server.cluster.ClusterState} names it
   */
  static long of(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("'" + name + "' is no name of a group");
    }
    return matcher.group(1) == null ? META : FIRST_PARTITION + Long.parseLong(matcher.group(1));
  }

  /** What a number stands for, without the cluster: {@code meta} or {@code p0}. */
  static String shortName(long number) {
    return number == META ? "meta" : "p" + (number - FIRST_PARTITION);
  }
}
