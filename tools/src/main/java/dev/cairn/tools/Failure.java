// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.CairnException;
import dev.cairn.client.InvalidRequestException;
import dev.cairn.client.NotOnAllReplicasException;
import dev.cairn.client.RefusedException;
import dev.cairn.client.UnavailableException;
import dev.cairn.client.UnknownOutcomeException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.net.ssl.SSLException;

/**
 * A call that gave no answer, as a person is told: what became of the request, and what to do next.
 *
 * @param line one line
 * @param exitStatus of a one-shot command that ends so
 */
record Failure(String line, int exitStatus) {
  static Failure of(CairnException failure, List<Address> nodes) {
    if (failure instanceof UnknownOutcomeException) {
      return new Failure(
          "Unknown outcome: "
              + failure.getMessage()
              + (failure.getMessage().contains("read the key")
                  ? "."
                  : "; read the key before writing again."),
          ExitStatus.UNKNOWN);
    }
    if (failure instanceof UnavailableException unavailable) {
      return new Failure(unavailable(unavailable, nodes), ExitStatus.ERROR);
    }
    if (failure instanceof RefusedException refused) {
      return new Failure(
          "Refused, nothing was changed: " + refused.code() + " " + refused.getMessage(),
          ExitStatus.ERROR);
    }
    if (failure instanceof NotOnAllReplicasException) {
      return new Failure(
          "Done on a majority, but not on every replica: "
              + failure.getMessage()
              + ". STATUS shows which is behind.",
          ExitStatus.DONE);
    }
    if (failure instanceof InvalidRequestException) {
      return new Failure("Invalid: " + failure.getMessage() + ".", ExitStatus.ERROR);
    }
    throw new AssertionError(failure);
  }

  /** None of the nodes can be asked. */
  static String noNode(List<Address> nodes) {
    return "No node reachable ("
        + nodes.stream().map(Address::toString).collect(Collectors.joining(", "))
        + "): nothing was changed. Start one with './cairn node PORT', or name others with"
        + " --nodes HOST:PORT,...";
  }

  /** What a node said that is there and lets this client not in. */
  private static Optional<String> refused(UnavailableException failure) {
    Throwable cause = failure.getCause();
    while (cause instanceof CairnException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    boolean said =
        cause instanceof SSLException
            || (cause != null
                && String.valueOf(cause.getMessage()).contains("refused the greeting"));
    return said
        ? Optional.of(
            "No node lets this client in: " + cause.getMessage() + ". Nothing was changed.")
        : Optional.empty();
  }

  private static String unavailable(UnavailableException failure, List<Address> nodes) {
    return switch (failure.reason()) {
      case NO_NODE -> refused(failure).orElseGet(() -> noNode(nodes));
      case NO_MAJORITY ->
          "No majority of this key's replicas is up: nothing was changed. './cairn status' shows"
              + " which nodes to start.";
      case TOO_MANY_IN_FLIGHT -> "Too many requests at once: nothing was changed. Send fewer.";
      case STOPPED -> "Stopped before the request was sent: nothing was changed.";
    };
  }
}
