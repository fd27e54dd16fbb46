// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;
import java.util.Optional;

/**
 * Which of several forms an asker wants (RFC 9110, 12.5). The most precise range that names a form
 * has its weight. The form with the greatest weight is sent; of equal ones the one that is named
 * more precisely, and then the one that is offered first. So {@code application/json, *}{@code /*}
 * asks for JSON. Parameters of a range but its weight count for nothing: no form has any.
 */
final class Negotiation {
  private static final int EXACTLY = 3;
  private static final int BY_KIND = 2;
  private static final int ANY = 1;

  private Negotiation() {}

  /** The media type to send; empty where none of those offered is wanted. */
  static Optional<String> type(HttpHeaders asked, List<String> offered) {
    List<HeaderList.Weighted> ranges =
        HeaderList.weighted(asked.getAll(HttpHeaderNames.ACCEPT)).stream()
            .filter(range -> range.name().indexOf('/') > 0)
            .toList();
    if (ranges.isEmpty()) {
      return Optional.of(offered.get(0)); // nothing was said, or nothing that can be read
    }
    String best = null;
    double bestWeight = 0;
    int bestPrecision = 0;
    for (String type : offered) {
      int precision =
          ranges.stream().mapToInt(range -> precision(range.name(), type)).max().orElse(0);
      double weight =
          ranges.stream()
              .filter(range -> precision > 0 && precision(range.name(), type) == precision)
              .mapToDouble(HeaderList.Weighted::weight)
              .max()
              .orElse(0);
      if (weight > bestWeight
          || (weight == bestWeight && weight > 0 && precision > bestPrecision)) {
        best = type;
        bestWeight = weight;
        bestPrecision = precision;
      }
    }
    return Optional.ofNullable(best);
  }

  private static int precision(String range, String type) {
    if (range.equals(type)) {
      return EXACTLY;
    }
    if (range.equals(type.substring(0, type.indexOf('/')) + "/*")) {
      return BY_KIND;
    }
    return range.equals("*/*") ? ANY : 0;
  }

  /** Whether an asker unpacks gzip and does not rather have a file as it is. */
  static boolean gzip(HttpHeaders asked) {
    List<HeaderList.Weighted> codings =
        HeaderList.weighted(asked.getAll(HttpHeaderNames.ACCEPT_ENCODING));
    Optional<Double> star = weight(codings, "*");
    double gzip =
        weight(codings, "gzip").or(() -> weight(codings, "x-gzip")).or(() -> star).orElse(0.0);
    return gzip > 0 && gzip >= weight(codings, "identity").orElse(0.0);
  }

  private static Optional<Double> weight(List<HeaderList.Weighted> codings, String name) {
    return codings.stream()
        .filter(coding -> coding.name().equals(name))
        .map(HeaderList.Weighted::weight)
        .findFirst();
  }
}
