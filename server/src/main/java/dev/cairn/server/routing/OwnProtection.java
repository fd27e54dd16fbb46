// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How this node is protected from those who reach it, as its status tells. Of the other nodes each
 * tells itself.
 *
 * @param notProtected what lets everybody in, if anything does, for a person
 * @param certificateDays for how many days its certificates are good; negative: they have expired;
 *     empty where it has none
 * @param filesRefused which of its certificates' files have changed to what cannot be used
 */
public record OwnProtection(
    Optional<String> notProtected, OptionalLong certificateDays, List<String> filesRefused) {
  /** So many days before its end a certificate is a problem. */
  static final int DAYS_LEFT_MIN = 14;

  /** Of a node that nobody else reaches. */
  public static final OwnProtection NONE =
      new OwnProtection(Optional.empty(), OptionalLong.empty(), List.of());

  public OwnProtection {
    filesRefused = List.copyOf(filesRefused);
  }

  void addTo(Findings findings, String node) {
    if (certificateDays.isPresent() && certificateDays.getAsLong() < DAYS_LEFT_MIN) {
      long days = certificateDays.getAsLong();
      findings.add(
          ProblemKind.CERTIFICATE_EXPIRES,
          node,
          0,
          "A certificate of node "
              + node
              + (days < 0
                  ? " has expired: clients and nodes refuse it."
                  : " expires in " + (days == 1 ? "1 day." : days + " days."))
              + " Put another one in its place; the node reads it within 10 s.");
    }
    if (!filesRefused.isEmpty()) {
      findings.add(
          ProblemKind.CERTIFICATE_UNREADABLE,
          node,
          0,
          "Node "
              + node
              + " goes on with what it had, since "
              + String.join(" and ", filesRefused)
              + " has changed and cannot be used: its log says why.");
    }
  }
}
