// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.command.CommandTable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who guesses passwords is slowed down, and keeps nobody else out. */
final class LoginsTest {
  private static final byte[] WRONG = "guess".getBytes(StandardCharsets.UTF_8);
  private static final byte[] RIGHT = "p".getBytes(StandardCharsets.UTF_8);

  private static Logins.Attempt attempt(String host, byte[] password) {
    return new Logins.Attempt(new ClientAddress(host, false), "ada", password);
  }

  private static Optional<Login> look(Logins logins, Logins.Attempt attempt) throws Exception {
    CompletableFuture<Optional<Login>> login = new CompletableFuture<>();
    assertThat(logins.check(attempt, login::complete)).as("it is looked at").isTrue();
    return login.get(20, TimeUnit.SECONDS);
  }

  @Test
  void thoseWhoGuessWaitAmongThemselves() throws Exception {
    AccessControl access =
        LocalRights.of(CommandTable.catalog(), AccessControl.Rules.NONE, Audit.NONE);
    access.follow(access.users().with("ada", List.of("on", "#" + Passwords.hash(RIGHT))));
    try (Logins logins = new Logins(access, System::nanoTime)) {
      for (int i = 0; i < Logins.FAILURES_MAX; i++) {
        assertThat(look(logins, attempt("10.0.0.66", WRONG))).isEmpty();
      }
      int taken = 0;
      while (taken < 50 * Logins.SLOW_WAITING_MAX // some are looked at meanwhile
          && logins.check(attempt("10.0.0.66", WRONG), guessed -> {})) {
        taken++;
      }
      assertThat(taken).isBetween(Logins.SLOW_WAITING_MAX, 49 * Logins.SLOW_WAITING_MAX);
      assertThat(look(logins, attempt("10.0.0.7", RIGHT))).isPresent();
      assertThat(look(logins, attempt("10.0.0.7", WRONG))).isEmpty();
    } finally {
      access.close();
    }
  }
}
