// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

/**
 * Where a scan goes on.
 *
 * @param partition which
 * @param from its first key that was not looked at; empty: its very first
 */
public record ScanPosition(int partition, byte[] from) {
  /** The very first key of a partition. */
  public static ScanPosition startOf(int partition) {
    return new ScanPosition(partition, new byte[0]);
  }
}
