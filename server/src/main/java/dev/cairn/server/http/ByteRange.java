// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One range of a value (RFC 9110, 14). Of several, and of what cannot be read, the header means
 * nothing, as it says: the whole value is answered.
 *
 * @param first the first byte; from the end where negative
 * @param last the last, inclusive; from the end where negative
 */
record ByteRange(long first, long last) {
  /** All of a value. */
  static final ByteRange ALL = new ByteRange(0, -1);

  private static final Pattern UNIT = Pattern.compile("bytes=(.*)", Pattern.CASE_INSENSITIVE);
  private static final Pattern ONE = Pattern.compile("([0-9]*)-([0-9]*)");
  private static final int DIGITS_MAX = 18;

  /** A range that holds nothing of any value. */
  private static final ByteRange NOTHING = new ByteRange(Long.MAX_VALUE, Long.MAX_VALUE);

  /** What a GET asks for, of a value's bytes. */
  static Optional<ByteRange> of(HttpCall call) {
    List<String> headers = call.headers().getAll(HttpHeaderNames.RANGE);
    if (headers.size() != 1 || call.isHead() || call.wantsJson()) {
      return Optional.empty();
    }
    Matcher unit = UNIT.matcher(headers.get(0));
    List<String> ranges = unit.matches() ? HeaderList.elements(List.of(unit.group(1))) : List.of();
    return ranges.size() == 1 ? of(ranges.get(0)) : Optional.empty();
  }

  private static Optional<ByteRange> of(String range) {
    Matcher matcher = ONE.matcher(range);
    if (!matcher.matches() || range.equals("-")) {
      return Optional.empty();
    }
    if (matcher.group(1).isEmpty()) {
      long length = number(matcher.group(2));
      return Optional.of(length == 0 ? NOTHING : new ByteRange(-length, -1));
    }
    long first = number(matcher.group(1));
    long last = matcher.group(2).isEmpty() ? Long.MAX_VALUE : number(matcher.group(2));
    return first > last ? Optional.empty() : Optional.of(new ByteRange(first, last));
  }

  /** What has more digits is past the end of every value. */
  private static long number(String digits) {
    String significant = digits.replaceFirst("^0+(?=.)", "");
    return significant.length() > DIGITS_MAX ? Long.MAX_VALUE : Long.parseLong(significant);
  }

  /** Whether it is the last bytes of a value: of an empty one that is all of it. */
  boolean isSuffix() {
    return first < 0;
  }

  /** The first byte of a value of so many; past its last where it has none of the range. */
  long firstOf(long length) {
    return first < 0 ? Math.max(0, length + first) : first;
  }

  /** The last byte. */
  long lastOf(long length) {
    return last < 0 ? length + last : Math.min(last, length - 1);
  }
}
