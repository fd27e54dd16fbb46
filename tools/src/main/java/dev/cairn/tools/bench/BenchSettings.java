// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import java.util.List;
import java.util.Map;

/**
 * What to measure; checked by its constructor.
 *
 * @param nodes whom to ask: all of them in turn, or with {@code cluster} for CLUSTER SLOTS
 * @param cluster whether each key goes to the master of its slot
 * @param clients 1 to 10,000; each has a connection, with {@code cluster} one to each master
 * @param pipeline requests that a client has in flight, 1 to 1,000
 * @param ratePerSecond operations a second in all; 0 is a closed loop, at most 10,000,000
 * @param workload its name, for the reports
 * @param shares of each kind of operation
 * @param distribution of keys
 * @param keys that are there at first, 1 to 1,000,000,000
 * @param keyPrefix in front of a key's number of 12 digits; at most 1,024 bytes
 * @param valueBytes 0 to 16 MiB
 * @param waitReplicas replicas that must confirm each write by WAIT, 0 (no WAIT) to 100
 * @param load whether all keys are written first
 * @param warmUpSeconds not counted, 0 to 86,400
 * @param seconds counted, above 0, to 86,400
 * @param timeoutSeconds after which an operation without an answer is an error and its connection
 *     is closed; 0.01 to 3,600
 * @param seed of everything that is drawn
 * @param pids processes whose CPU is measured; may be empty
 * @param security over TLS or not, and as whom
 */
public record BenchSettings(
    List<Address> nodes,
    boolean cluster,
    int clients,
    int pipeline,
    double ratePerSecond,
    String workload,
    Map<Kind, Integer> shares,
    Distribution distribution,
    int keys,
    String keyPrefix,
    int valueBytes,
    int waitReplicas,
    boolean load,
    double warmUpSeconds,
    double seconds,
    double timeoutSeconds,
    long seed,
    List<Long> pids,
    Security security) {

  /** Most keys. */
  public static final int KEYS_MAX = 1_000_000_000;

  /** Memory for requests on their way, over all connections. */
  static final long BUFFER_BYTES_MAX = 192L * 1024 * 1024;

  public BenchSettings {
    check(clients >= 1 && clients <= 10_000, "--clients must be 1 to 10000");
    check(pipeline >= 1 && pipeline <= 1_000, "--pipeline must be 1 to 1000");
    check(
        ratePerSecond == 0 || (ratePerSecond >= 0.01 && ratePerSecond <= 10_000_000),
        "--rate must be 0.01 to 10000000 operations a second");
    check(keys >= 1 && keys <= KEYS_MAX, "--keys must be 1 to " + KEYS_MAX);
    check(keyPrefix.length() <= 1_024, "--key-prefix must have at most 1024 characters");
    check(
        valueBytes >= 0 && valueBytes <= 16 * 1024 * 1024,
        "--value-bytes must be 0 to " + 16 * 1024 * 1024);
    check(waitReplicas >= 0 && waitReplicas <= 100, "--wait must be 0 to 100");
    check(warmUpSeconds >= 0 && warmUpSeconds <= 86_400, "--warm-up must be 0 to 86400 seconds");
    check(seconds >= 0.01 && seconds <= 86_400, "--seconds must be 0.01 to 86400");
    check(
        timeoutSeconds >= 0.01 && timeoutSeconds <= 3_600,
        "--timeout must be 0.01 to 3600 seconds");
  }

  /**
   * Checks that requests on their way fit into memory.
   *
   * @param masters to which each client has a connection
   * @throws IllegalArgumentException if not
   */
  void checkBuffers(int masters, int bufferBytes) {
    check(
        (long) clients * masters * bufferBytes <= BUFFER_BYTES_MAX,
        clients
            + " clients with "
            + masters
            + " connections each and requests of "
            + valueBytes
            + " bytes do not fit into the generator's "
            + BUFFER_BYTES_MAX / (1024 * 1024)
            + " MiB: take fewer --clients or --value-bytes");
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }

  boolean isClosedLoop() {
    return ratePerSecond == 0;
  }

  /** Draws these named shares, or the workload's own: {@link Mix.Named}. */
  static Mix.Named named(String workload) {
    for (Mix.Named named : Mix.Named.values()) {
      if (named.name().equalsIgnoreCase(workload)) {
        return named;
      }
    }
    throw new IllegalArgumentException(
        "--workload must be set, get, a, b, c, d or f, not '" + workload + "'");
  }

  /** The shares of a named workload. */
  public static Map<Kind, Integer> sharesOf(String workload) {
    return named(workload).shares;
  }

  /** The distribution of a named workload. */
  public static Distribution distributionOf(String workload) {
    return named(workload).distribution;
  }

  /**
   * Reads {@code get=95,set=5}.
   *
   * @throws IllegalArgumentException with a message for the person who wrote it
   */
  public static Map<Kind, Integer> sharesIn(String mix) {
    return Mix.parse(mix);
  }
}
