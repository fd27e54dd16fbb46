// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.AccessLog;
import dev.cairn.server.access.ClientAddress;
import dev.cairn.server.access.Logins;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * AUTH, and AUTH in HELLO: the password is looked at on another thread ({@link Logins}). Until then
 * the connection starts nothing more, so that what stands behind AUTH is judged as who logged in.
 */
final class Authentication {
  /** What a client is told who sends a password where none is needed. */
  static final String NO_PASSWORD =
      "AUTH <password> called without any password configured for the default user. Are you sure"
          + " your configuration is correct?";

  private Authentication() {}

  /**
   * Logs a connection in. Replies itself where that fails.
   *
   * @param user a byte a character
   * @param whenIn replies where it does not; on another thread
   * @param whenOut takes back what was done for the sake of the reply
   */
  static void start(Call call, String user, byte[] password, Runnable whenIn, Runnable whenOut) {
    AccessControl access = call.port().access();
    ClientRights rights = call.client().rights();
    ClientAddress from = ClientAddress.of(call.client().address());
    rights.asks();
    boolean taken =
        access
            .logins()
            .check(
                new Logins.Attempt(from, user, password),
                login -> {
                  boolean in = login.isPresent() && rights.enter(access, login.get());
                  if (!in) {
                    whenOut.run();
                  }
                  rights.answered();
                  if (in) {
                    whenIn.run();
                  } else if (login.isPresent()) {
                    call.reply(tooMany(access));
                  } else {
                    Permission.log(
                        call,
                        AccessLog.Reason.AUTH,
                        call.command().name().toUpperCase(Locale.ROOT),
                        user);
                    call.reply(Refusal.wrongPassword().reply());
                  }
                });
    if (!taken) {
      whenOut.run();
      rights.answered();
      throw Refusal.tryAgain("too many logins wait on this node; try again in a second");
    }
  }

  private static RespValue tooMany(AccessControl access) {
    return RespValue.error(
        ErrorCode.TRYAGAIN,
        "this user has %d connections to this node, and may have no more: close some"
            .formatted(access.connectionsMax()));
  }

  /** A word, a byte a character: names of users have any bytes. */
  static String bytes(byte[] word) {
    return new String(word, StandardCharsets.ISO_8859_1);
  }
}
