// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lists in headers (RFC 9110, 5.6.1). Several lines of a name are one list, empty elements count
 * for nothing, and a comma within quotes is part of its element.
 */
final class HeaderList {
  private static final Pattern WEIGHT =
      Pattern.compile("q=(0(?:\\.[0-9]{0,3})?|1(?:\\.0{0,3})?)", Pattern.CASE_INSENSITIVE);

  private HeaderList() {}

  /**
   * An element that says how much it is wanted (RFC 9110, 12.4.2).
   *
   * @param name in lower case, without parameters
   * @param weight from 0, not at all, to 1
   */
  record Weighted(String name, double weight) {}

  /** What stands in the lines, without blanks around it. */
  static List<String> elements(List<String> lines) {
    List<String> elements = new ArrayList<>();
    for (String line : lines) {
      for (String element : split(line, ',')) {
        if (!element.isEmpty()) {
          elements.add(element);
        }
      }
    }
    return elements;
  }

  /** The same with weights, 1 where none is said. What has a weight that is none is left out. */
  static List<Weighted> weighted(List<String> lines) {
    List<Weighted> elements = new ArrayList<>();
    for (String element : elements(lines)) {
      List<String> parts = split(element, ';');
      double weight = 1;
      for (String parameter : parts.subList(1, parts.size())) {
        if (parameter.regionMatches(true, 0, "q=", 0, 2)) {
          Matcher stated = WEIGHT.matcher(parameter);
          weight = stated.matches() ? Double.parseDouble(stated.group(1)) : -1;
        }
      }
      if (weight >= 0) {
        elements.add(new Weighted(parts.get(0).toLowerCase(Locale.ROOT), weight));
      }
    }
    return elements;
  }

  private static List<String> split(String text, char separator) {
    List<String> parts = new ArrayList<>();
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char octet = text.charAt(i);
      quoted ^= octet == '"';
      if (octet == separator && !quoted) {
        parts.add(text.substring(start, i).strip());
        start = i + 1;
      }
    }
    parts.add(text.substring(start).strip());
    return parts;
  }
}
