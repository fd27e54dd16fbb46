// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.server.cluster.Membership;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * How this node is protected from those who reach it, as its status tells. Of the other nodes each
 * tells itself.
 *
 * @param notProtected what lets everybody in, if anything does, for a person
 * @param certificateDays for how many days its certificates are good; negative: they have expired;
 *     empty where it has none
 * @param filesRefused which of its certificates' files have changed to what cannot be used
 * @param watch how well it knows whom to let in
 */
public record OwnProtection(
    Optional<String> notProtected,
    OptionalLong certificateDays,
    List<String> filesRefused,
    Watch watch) {
  /** So many days before its end a certificate is a problem. */
  static final int DAYS_LEFT_MIN = 14;

  /** Of a node that nobody else reaches. */
  public static final OwnProtection NONE =
      new OwnProtection(Optional.empty(), OptionalLong.empty(), List.of(), Watch.GOOD);

  /**
   * How well a node knows whom to let in, and keeps whom it did.
   *
   * @param rightsAgeMillis for how long nobody has told it what the latest rights of users are; 0
   *     where it has no users
   * @param losesAudit whether events were lost lately that should be in its audit log
   */
  public record Watch(long rightsAgeMillis, boolean losesAudit) {
    /** Nothing is to be said. */
    public static final Watch GOOD = new Watch(0, false);
  }

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
    if (watch.rightsAgeMillis() >= Membership.DOWN_AFTER_MILLIS) {
      findings.add(
          ProblemKind.RIGHTS_OLD,
          node,
          watch.rightsAgeMillis(),
          "Node "
              + node
              + " has heard of no rights of users for "
              + TimeUnit.MILLISECONDS.toSeconds(watch.rightsAgeMillis())
              + " s: what was taken away since may be allowed there still. It hears of them again once"
              + " it reaches a majority of the cluster's first nodes.");
    }
    if (watch.losesAudit()) {
      findings.add(
          ProblemKind.AUDIT_LOST,
          node,
          0,
          "Node "
              + node
              + " has lost events that should be in its audit log: look at its log, its disk and"
              + " whether somebody floods it. This is told for ten minutes after the last one.");
    }
  }
}
