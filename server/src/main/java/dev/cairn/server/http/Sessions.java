// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.access.Login;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Who is logged in to the console of this node. A session is a random token that the browser keeps
 * in a cookie which no script can read; it ends after {@value #IDLE_HOURS} hours in which it was
 * not used, with the node, and with what it logged in by. At most {@value #COUNT_MAX}; one more
 * ends the one that was not used for longest. Any thread.
 */
final class Sessions {
  private static final int COUNT_MAX = 1_000;
  static final int IDLE_HOURS = 12;
  private static final int TOKEN_BYTES = 32;

  private final LongSupplier nanoTime;
  private final SecureRandom random = new SecureRandom();
  private final Map<String, Session> sessions =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Session> eldest) {
          return size() > COUNT_MAX;
        }
      }; // guarded by itself

  private record Session(Login login, long usedNanos) {}

  Sessions(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Begins one; its token. */
  String begin(Login login) {
    byte[] bytes = new byte[TOKEN_BYTES];
    random.nextBytes(bytes);
    String token = HexFormat.of().formatHex(bytes);
    synchronized (sessions) {
      sessions.put(token, new Session(login, nanoTime.getAsLong()));
    }
    return token;
  }

  /** Whose it is; it counts as used. */
  Optional<Login> login(String token) {
    synchronized (sessions) {
      Session session = sessions.get(token);
      if (session == null) {
        return Optional.empty();
      }
      long now = nanoTime.getAsLong();
      if (now - session.usedNanos() > TimeUnit.HOURS.toNanos(IDLE_HOURS)) {
        sessions.remove(token);
        return Optional.empty();
      }
      sessions.put(token, new Session(session.login(), now));
      return Optional.of(session.login());
    }
  }

  /** Ends one. */
  void end(String token) {
    synchronized (sessions) {
      sessions.remove(token);
    }
  }
}
