// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a request asks for, read strictly: what could be read in two ways is refused.
 *
 * <pre>
 *   target    = path ["?" parameter *("&amp;" parameter)]
 *   parameter = name "=" value         each name once; '+' is a blank
 *   octet     = any of 0x21 to 0x7e but '%' | "%" two hexadecimal digits
 * </pre>
 *
 * @param path as it came, not decoded: a {@code %2F} is no slash of the path
 * @param parameters decoded, their values as bytes
 */
record RequestTarget(String path, Map<String, byte[]> parameters) {
  private static final int PARAMETERS_MAX = 32;

  /**
   * Reads a target that begins with a slash.
   *
   * @throws BadRequest if it is not as above
   */
  static RequestTarget of(String target) {
    if (!target.startsWith("/")) {
      throw new BadRequest("the target of a request begins with a slash");
    }
    for (int i = 0; i < target.length(); i++) {
      if (target.charAt(i) <= ' ' || target.charAt(i) > '~' || target.charAt(i) == '#') {
        throw new BadRequest("a byte of the target must be percent-encoded: the one at " + i);
      }
    }
    int question = target.indexOf('?');
    String path = question < 0 ? target : target.substring(0, question);
    decode(path, false); // what is wrong is said before anything is looked for
    return new RequestTarget(
        path, question < 0 ? Map.of() : parameters(target.substring(question + 1)));
  }

  private static Map<String, byte[]> parameters(String query) {
    Map<String, byte[]> parameters = new LinkedHashMap<>();
    for (String parameter : query.split("&", PARAMETERS_MAX + 1)) {
      if (parameter.isEmpty()) {
        continue;
      }
      int equals = parameter.indexOf('=');
      String name = equals < 0 ? parameter : parameter.substring(0, equals);
      byte[] value = decode(equals < 0 ? "" : parameter.substring(equals + 1), true);
      String decoded = new String(decode(name, true), StandardCharsets.UTF_8);
      if (parameters.put(decoded, value) != null) {
        throw new BadRequest("the parameter '" + decoded + "' is there twice");
      }
      if (parameters.size() > PARAMETERS_MAX) {
        throw new BadRequest("more than " + PARAMETERS_MAX + " parameters");
      }
    }
    return parameters;
  }

  /** The bytes that a percent-encoded text stands for. */
  static byte[] decode(String text, boolean plusIsBlank) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); i++) {
      char octet = text.charAt(i);
      if (octet == '%') {
        int high = i + 2 < text.length() ? Character.digit(text.charAt(i + 1), 16) : -1;
        int low = i + 2 < text.length() ? Character.digit(text.charAt(i + 2), 16) : -1;
        if (high < 0 || low < 0) {
          throw new BadRequest(
              "after % two hexadecimal digits stand, and at " + i + " they do not");
        }
        bytes.write(high << 4 | low);
        i += 2;
      } else {
        bytes.write(plusIsBlank && octet == '+' ? ' ' : octet);
      }
    }
    return bytes.toByteArray();
  }

  /** Refuses parameters of other names, so that a typing error is not taken for nothing said. */
  void allowOnly(Set<String> names) {
    for (String name : parameters.keySet()) {
      if (!names.contains(name)) {
        throw new BadRequest(
            "there is no parameter '%s' here, but %s"
                .formatted(name, names.isEmpty() ? "none" : String.join(", ", names)));
      }
    }
  }

  Optional<byte[]> bytes(String name) {
    return Optional.ofNullable(parameters.get(name));
  }

  /** A parameter as text; what is not UTF-8 is refused. */
  Optional<String> text(String name) {
    return bytes(name)
        .map(
            bytes ->
                utf8(bytes)
                    .orElseThrow(() -> new BadRequest("the parameter '" + name + "' is no text")));
  }

  /** Bytes as text, if they are UTF-8. */
  static Optional<String> utf8(byte[] bytes) {
    try {
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException binary) {
      return Optional.empty();
    }
  }
}
