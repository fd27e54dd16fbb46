// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

/** What nodes send each other of themselves, for tests that stand in for a node. */
public final class Reports {
  private Reports() {}

  /** A report as it travels. */
  public static byte[] bytes(NodeReport report) {
    return report.encode();
  }

  /** What a node answers to a report. */
  public static byte[] answerOf(String nodeId) {
    return Reach.answerOf(nodeId);
  }
}
