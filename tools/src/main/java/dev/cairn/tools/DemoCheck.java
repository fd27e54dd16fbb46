// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.Answer;
import dev.cairn.client.CairnClient;
import dev.cairn.client.Security;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Reads every key of a record through one node and compares byte for byte: an acknowledged write
 * must be there, an unknown one may be there or not, and nothing else may stand in its place.
 */
final class DemoCheck {
  private static final int WINDOW = 200;
  private static final int COMPLAINTS_MAX = 5;
  private static final Duration DEADLINE = Duration.ofSeconds(15);

  /**
   * What was found.
   *
   * @param held acknowledged keys that were there as acknowledged
   * @param complaints the first keys that were not as they must be
   * @param wrong how many were not
   */
  record Outcome(long held, List<String> complaints, long wrong) {}

  private DemoCheck() {}

  static Outcome through(Address node, Security security, DemoRecord record) {
    List<String> complaints = new ArrayList<>();
    long held = 0;
    long wrong = 0;
    try (CairnClient client =
        CairnClient.builder()
            .nodes(List.of(node))
            .security(security)
            .followTopology(false)
            .deadline(DEADLINE)
            .attemptTimeout(DEADLINE)
            .build()) {
      List<DemoRecord.Expected> all = record.all();
      for (int from = 0; from < all.size(); from += WINDOW) {
        List<DemoRecord.Expected> window = all.subList(from, Math.min(from + WINDOW, all.size()));
        List<CompletableFuture<Answer<Optional<byte[]>>>> answers =
            window.stream().map(expected -> client.getAsync(expected.key())).toList();
        for (int i = 0; i < window.size(); i++) {
          Optional<String> complaint = complaint(window.get(i), answers.get(i));
          if (complaint.isEmpty()) {
            held += window.get(i).certain() ? 1 : 0;
          } else if (++wrong <= COMPLAINTS_MAX) {
            complaints.add(Printed.value(window.get(i).key()) + ": " + complaint.get());
          }
        }
      }
    }
    return new Outcome(held, complaints, wrong);
  }

  private static Optional<String> complaint(
      DemoRecord.Expected expected, CompletableFuture<Answer<Optional<byte[]>>> answer) {
    Optional<byte[]> value;
    try {
      value = answer.join().value();
    } catch (CompletionException failed) {
      return Optional.of("could not be read: " + failed.getCause().getMessage());
    }
    if (value.isEmpty()) {
      return expected.certain() ? Optional.of("acknowledged, but missing") : Optional.empty();
    }
    return Arrays.equals(value.get(), expected.value())
        ? Optional.empty()
        : Optional.of("has another value than was written");
  }
}
