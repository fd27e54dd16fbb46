// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * What a browser is shown that has not logged in: a form, and nothing of the node. It needs no
 * file, since no other resource answers before one has logged in. Its one line of script has the
 * console begin with the view that the address names; without it one logs in as well.
 */
final class LoginPage {
  private static final String PAGE =
      """
      <!doctype html>
      <html lang="en">
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Cairn: log in</title>
      <style>
      :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
      form { max-width: 20rem; margin: 20vh auto 0; padding: 0 1rem; display: grid; gap: .75rem; }
      label { display: grid; gap: .25rem; }
      input, button { font: inherit; padding: .5rem; }
      p { min-height: 1.5em; margin: 0; }
      </style>
      <form method="post" action="/v1/session">
      <h1>Cairn</h1>
      <label>User <input name="user" value="default" autocomplete="username" required></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" autofocus required></label>
      <button>Log in</button>
      <p role="alert">%s</p>
      </form>
      <script>%s</script>
      """;

  private static final String SCRIPT = "document.forms[0].action += location.hash";

  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-%s'; form-action 'self';"
              .formatted(digest(SCRIPT))
          + " base-uri 'none'; frame-ancestors 'none'";

  /** With no-referrer, as elsewhere, browsers send the form with {@code Origin: null}. */
  private static final String REFERRER_POLICY = "same-origin";

  /** By which a browser opens no dialog of its own. */
  static final String CHALLENGE = "Cookie realm=\"Cairn\", form-action=\"/v1/session\"";

  private LoginPage() {}

  /** The page, with a message to a person. */
  static HttpAnswer answer(String message) {
    return HttpAnswer.of(
            401,
            "text/html; charset=utf-8",
            PAGE.formatted(escaped(message), SCRIPT).getBytes(StandardCharsets.UTF_8))
        .with("Content-Security-Policy", POLICY)
        .with("Referrer-Policy", REFERRER_POLICY)
        .with("WWW-Authenticate", CHALLENGE);
  }

  private static String digest(String text) {
    try {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }

  /** Names of users are among what is said. */
  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
