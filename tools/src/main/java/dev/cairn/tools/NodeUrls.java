// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Nodes as a person writes them: {@code HOST:PORT}, or as Redis' clients write them, {@code
 * rediss://USER@HOST:PORT}, several with commas between them.
 *
 * @param addresses {@code HOST:PORT,...}
 * @param tls whether any says {@code rediss}
 * @param user the first that is named
 * @param password the first that is written there, for everybody to see
 */
record NodeUrls(String addresses, boolean tls, Optional<String> user, Optional<String> password) {
  private static final Pattern URL =
      Pattern.compile("(?:(rediss?)://)?(?:([^:@/]*)(?::([^@]*))?@)?([^@/]*)(?:/0?)?");

  static NodeUrls of(String text) {
    List<String> addresses = new ArrayList<>();
    boolean tls = false;
    Optional<String> user = Optional.empty();
    Optional<String> password = Optional.empty();
    for (String part : text.split(",", -1)) {
      Matcher matcher = URL.matcher(part.strip());
      if (!matcher.matches()) {
        addresses.add(part); // told as what it is not
        continue;
      }
      addresses.add(matcher.group(4));
      tls |= "rediss".equals(matcher.group(1));
      user = user.or(() -> decoded(matcher.group(2)));
      password = password.or(() -> decoded(matcher.group(3)));
    }
    return new NodeUrls(String.join(",", addresses), tls, user, password);
  }

  private static Optional<String> decoded(String text) {
    return text == null || text.isEmpty()
        ? Optional.empty()
        : Optional.of(URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8));
  }
}
