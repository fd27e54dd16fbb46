// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * How somebody logged in: what must still hold for the connection to go on.
 *
 * @param user the name, a byte a character
 * @param hash of the password, of {@link Kind#PASSWORD}; else empty
 */
public record Login(String user, Kind kind, String hash) {
  /** By what. */
  public enum Kind {
    /** By nothing: the user needs no password. */
    NO_PASSWORD,
    /** By one of the user's passwords. */
    PASSWORD,
    /** By a certificate whose common name is the user's. */
    CERTIFICATE,
    /** By the recovery password of this node: no table has it. */
    RECOVERY;

    /** For a person. */
    String words() {
      return switch (this) {
        case NO_PASSWORD -> "no password, since the user needs none";
        case PASSWORD -> "password";
        case CERTIFICATE -> "certificate";
        case RECOVERY -> "recovery password";
      };
    }
  }

  /** A name as users have it: a byte a character. */
  public static String bytes(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }

  /** The user of a connection that has not logged in. */
  static final Login NOBODY_ASKED = new Login(User.DEFAULT, Kind.NO_PASSWORD, "");

  /** Whether it counts among the connections of its user. */
  public boolean isCounted() {
    return kind != Kind.RECOVERY;
  }

  /** Whether it is by the recovery password of this node, which no cluster can take away. */
  public boolean recovers() {
    return kind == Kind.RECOVERY;
  }

  /**
   * What the user may do now; empty where this login holds no more. A password that is added ends
   * nothing, also where there was none before; one that is taken away ends what it began.
   */
  Optional<User> holds(Users users, User recovery) {
    if (kind == Kind.RECOVERY) {
      return Optional.of(recovery);
    }
    if (kind == Kind.CERTIFICATE) {
      return users.user(user).filter(User::isOn);
    }
    return users
        .user(user)
        .filter(User::canLogIn)
        .filter(now -> kind != Kind.PASSWORD || now.isNopass() || now.passwords().contains(hash));
  }
}
