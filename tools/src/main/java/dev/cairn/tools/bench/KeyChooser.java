// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import java.util.SplittableRandom;
import org.apache.commons.rng.sampling.distribution.DiscreteSampler;
import org.apache.commons.rng.sampling.distribution.RejectionInversionZipfSampler;

/**
 * Draws keys, 0 to {@code keys} - 1 and those inserted since, by one of three distributions.
 *
 * <ul>
 *   <li>Uniform: each of the first {@code keys} as often as any other.
 *   <li>Zipfian: the key of rank r, from 1, is drawn in proportion to r<sup>-0.99</sup>, the
 *       exponent of YCSB. Ranks are scattered over the first {@code keys} by a multiplication
 *       modulo their number, one to one (YCSB hashes, which lets some keys share a rank), so that
 *       those often asked for are not neighbours on disk. With 100,000 keys the first rank gets 8 %
 *       of all requests.
 *   <li>Latest: the same ranks counted back from the newest key whose insert has ended.
 * </ul>
 *
 * <p>Sources: Cooper, Silberstein, Tam, Ramakrishnan, Sears: <i>Benchmarking Cloud Serving Systems
 * with YCSB</i> (SoCC 2010), section 4.1; Hörmann, Derflinger: <i>Rejection-inversion to generate
 * variates from monotone discrete distributions</i> (1996), which the library follows.
 */
interface KeyChooser {
  /** YCSB's zipfian constant. */
  double EXPONENT = 0.99;

  /** The next key to ask for. */
  long next();

  /**
   * Keys by this distribution.
   *
   * @param keys how many there are at first, 1 to 2^31 - 1
   */
  static KeyChooser of(
      Distribution distribution, int keys, Insertions insertions, SplittableRandom random) {
    if (distribution == Distribution.UNIFORM) {
      return () -> random.nextInt(keys);
    }
    DiscreteSampler ranks = RejectionInversionZipfSampler.of(random::nextLong, keys, EXPONENT);
    if (distribution == Distribution.LATEST) {
      // The newest is at least keys - 1, a rank at most keys: never below 0.
      return () -> insertions.newest() - (ranks.sample() - 1);
    }
    long stride = stride(keys);
    return () -> (ranks.sample() - 1) * stride % keys;
  }

  /** About the golden section of this number, and coprime to it. */
  private static long stride(long keys) {
    long stride = Math.max(1, (long) (keys * 0.618_033_988_749_895));
    while (greatestCommonDivisor(stride, keys) != 1) {
      stride++;
    }
    return stride;
  }

  private static long greatestCommonDivisor(long a, long b) {
    return b == 0 ? a : greatestCommonDivisor(b, a % b);
  }
}
