// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import java.util.List;
import java.util.regex.Pattern;

/**
 * What stands in If-Match or If-None-Match (RFC 9110, 8.8.3 and 13.1): nothing, a star, or entity
 * tags.
 *
 * <pre>
 * entity-tag = ["W/"] '"' *etagc '"'
 * </pre>
 *
 * @param any a star: whatever is there
 * @param tags as written, with their quotes
 */
record EntityTags(boolean any, List<String> tags) {
  private static final Pattern TAG = Pattern.compile("(?:W/)?\"[\\x21\\x23-\\x7e\\x80-\\xff]*\"");

  /** Nothing was said. */
  static final EntityTags NONE = new EntityTags(false, List.of());

  EntityTags {
    tags = List.copyOf(tags);
  }

  /**
   * Reads header lines; several count as one list.
   *
   * @throws IllegalArgumentException if they are not what they should be
   */
  static EntityTags of(List<String> lines) {
    if (lines.isEmpty()) {
      return NONE;
    }
    List<String> tags = HeaderList.elements(lines);
    if (tags.equals(List.of("*"))) {
      return new EntityTags(true, List.of());
    }
    if (tags.isEmpty() || !tags.stream().allMatch(tag -> TAG.matcher(tag).matches())) {
      throw new IllegalArgumentException("not a list of entity tags such as \"7\"");
    }
    return new EntityTags(false, tags);
  }

  /** The same where a header that cannot be read counts as none: for what only saves a transfer. */
  static EntityTags lenient(List<String> lines) {
    try {
      return of(lines);
    } catch (IllegalArgumentException unreadable) {
      return NONE;
    }
  }

  boolean isEmpty() {
    return !any && tags.isEmpty();
  }

  /** Whether a tag that is not weak is among them. */
  boolean matches(String tag) {
    return any || tags.contains(tag);
  }

  /** Whether a tag is among them, weak or not. */
  boolean matchesWeakly(String tag) {
    return any
        || tags.stream()
            .map(each -> each.startsWith("W/") ? each.substring(2) : each)
            .anyMatch(tag::equals);
  }
}
