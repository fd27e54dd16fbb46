// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.fault;

import java.util.List;
import java.util.stream.Stream;

/** The faults that need no rights, for a cluster that was started with a network. */
public final class Faults {
  private Faults() {}

  /** All of them. */
  public static List<Fault> withoutRights() {
    return Stream.of(ProcessFaults.all(), NetworkFaults.all(), DiskFaults.all())
        .flatMap(List::stream)
        .toList();
  }
}
