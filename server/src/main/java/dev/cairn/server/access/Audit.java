// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.util.Locale;

/**
 * Takes what whoever is responsible for a cluster must be able to look up later: who came in, who
 * was refused, who changed what. {@link AuditLog} writes it down.
 */
@FunctionalInterface
public interface Audit {
  /** Keeps nothing. */
  Audit NONE = event -> {};

  /** Something happened. Returns at once. Any thread. */
  void add(Event event);

  /** What happened. */
  enum Kind {
    /** Somebody gave a password, or showed a certificate that is a user. */
    LOGIN,
    /** Somebody asked for what that one may not. */
    REFUSAL,
    /** A command changed rights, settings, connections, the node or all data. */
    COMMAND,
    /** The members of the cluster or the places of its partitions changed. */
    CLUSTER,
    /** The node has started, and so lets in whom it lets in. */
    START;

    /** As the file has it. */
    String lowerName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What came of it. */
  enum Outcome {
    DONE,
    /** It was not done, and that is certain. */
    REFUSED,
    /** It may or may not have been done, or does not hold everywhere yet. */
    UNKNOWN
  }

  /**
   * An event.
   *
   * @param user who, a byte a character; empty: nobody that is known
   * @param from the address in digits, without the port; empty: this node itself
   * @param what in words, a byte a character, without values and passwords
   */
  record Event(Kind kind, Outcome outcome, String user, String from, String what) {
    /** What this node itself has done. */
    public static Event done(Kind kind, String what) {
      return new Event(kind, Outcome.DONE, "", "", what);
    }
  }
}
