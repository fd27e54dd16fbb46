// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.EnumMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * An endless mix of operations by their shares.
 *
 * <p>The named workloads A, B, C, D and F are those of Cooper and others, <i>Benchmarking Cloud
 * Serving Systems with YCSB</i> (SoCC 2010), table 2, and of YCSB's {@code workloads/} folder:
 * there is no E, which scans.
 */
final class Mix implements Work {
  private final Kind[] kinds;
  private final int[] upTo; // cumulated shares
  private final KeyChooser keys;
  private final Insertions insertions;
  private final SplittableRandom random;

  /**
   * A mix.
   *
   * @param shares of each kind, 0 to 1,000,000 each, one at least above 0
   */
  Mix(Map<Kind, Integer> shares, KeyChooser keys, Insertions insertions, SplittableRandom random) {
    this.kinds = shares.keySet().toArray(Kind[]::new);
    this.upTo = new int[kinds.length];
    int sum = 0;
    for (int i = 0; i < kinds.length; i++) {
      sum += shares.get(kinds[i]);
      upTo[i] = sum;
    }
    if (sum <= 0) {
      throw new IllegalArgumentException("a mix needs a share above 0");
    }
    this.keys = keys;
    this.insertions = insertions;
    this.random = random;
  }

  @Override
  public boolean isExhausted() {
    return false;
  }

  @Override
  public void next(InFlight operation) {
    Kind kind = kind();
    operation.begin(kind, kind == Kind.INSERT ? insertions.next() : keys.next());
  }

  @Override
  public void ended(InFlight operation) {
    if (operation.kind == Kind.INSERT) {
      insertions.ended(operation.key);
    }
  }

  private Kind kind() {
    int drawn = kinds.length == 1 ? 0 : random.nextInt(upTo[kinds.length - 1]);
    for (int i = 0; i < kinds.length; i++) {
      if (drawn < upTo[i]) {
        return kinds[i];
      }
    }
    throw new AssertionError(drawn);
  }

  /**
   * A named workload: {@code set}, {@code get}, or YCSB's {@code a}, {@code b}, {@code c}, {@code
   * d}, {@code f}.
   */
  enum Named {
    SET(Map.of(Kind.SET, 100), Distribution.UNIFORM),
    GET(Map.of(Kind.GET, 100), Distribution.UNIFORM),
    A(Map.of(Kind.GET, 50, Kind.SET, 50), Distribution.ZIPFIAN),
    B(Map.of(Kind.GET, 95, Kind.SET, 5), Distribution.ZIPFIAN),
    C(Map.of(Kind.GET, 100), Distribution.ZIPFIAN),
    D(Map.of(Kind.GET, 95, Kind.INSERT, 5), Distribution.LATEST),
    F(Map.of(Kind.GET, 50, Kind.RMW, 50), Distribution.ZIPFIAN);

    final Map<Kind, Integer> shares;
    final Distribution distribution;

    Named(Map<Kind, Integer> shares, Distribution distribution) {
      this.shares = shares;
      this.distribution = distribution;
    }
  }

  /**
   * Reads {@code get=95,set=5}.
   *
   * @throws IllegalArgumentException with a message for the person who wrote it
   */
  static Map<Kind, Integer> parse(String text) {
    Map<Kind, Integer> shares = new EnumMap<>(Kind.class);
    long sum = 0;
    for (String part : text.split(",", -1)) {
      int equals = part.indexOf('=');
      Kind kind = kindNamed(equals < 0 ? part : part.substring(0, equals));
      int share = equals < 0 ? -1 : share(part.substring(equals + 1));
      if (kind == null || share < 0) {
        throw new IllegalArgumentException(
            "'"
                + part
                + "' is no share: write KIND=SHARE,... with get, set, insert or rmw, and shares of 0"
                + " to 1000000, such as get=95,set=5");
      }
      if (shares.put(kind, share) != null) {
        throw new IllegalArgumentException(kind.text() + " is named twice");
      }
      sum += share;
    }
    if (sum == 0) {
      throw new IllegalArgumentException("one share at least must be above 0");
    }
    shares.values().removeIf(share -> share == 0);
    return shares;
  }

  private static Kind kindNamed(String text) {
    for (Kind kind : Kind.values()) {
      if (kind.text().equals(text)) {
        return kind;
      }
    }
    return null;
  }

  private static int share(String text) {
    return text.matches("\\d{1,6}|1000000") ? Integer.parseInt(text) : -1;
  }
}
