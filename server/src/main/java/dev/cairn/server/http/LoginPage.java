// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import java.nio.charset.StandardCharsets;

/**
 * What a browser is shown that has not logged in: a form, and nothing of the node. It needs no
 * script and no file, since no other resource answers before one has logged in.
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
      """;

  private static final String POLICY =
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
          + " frame-ancestors 'none'";

  private LoginPage() {}

  /** The page. */
  static HttpAnswer answer(String message) {
    return HttpAnswer.of(
            401,
            "text/html; charset=utf-8",
            PAGE.formatted(message).getBytes(StandardCharsets.UTF_8))
        .with("Content-Security-Policy", POLICY)
        .with("WWW-Authenticate", "Cookie realm=\"Cairn\", form-action=\"/v1/session\"");
  }
}
