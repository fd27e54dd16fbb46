// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.state.RequestId;
import java.util.List;
import java.util.Optional;

/**
 * Operations of one partition that are applied together, or not at all.
 *
 * @param id by which a repetition is recognised; empty where the client gave none
 */
public record Request(Optional<RequestId> id, List<Operation> operations) {
  /** Whether it may need room on disk. */
  public boolean grows() {
    return operations.stream().anyMatch(Operation::grows);
  }
}
