// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Whom this node reaches: who answered what it sent lately, over its own connections.
 *
 * <p>An answer says who gives it. At an address where another node listens than the one that is
 * meant, the one that is meant is not reached.
 *
 * <pre>
 *   answer ::= empty | format:1 nodeId:utf       empty: of a node that is no member of the cluster
 * </pre>
 *
 * <p>Threads: any.
 */
final class Reach {
  private static final int FORMAT = 1;

  private final LongSupplier nanoTime;
  private final long lostAfterNanos;
  private final Map<String, Answered> answered = new ConcurrentHashMap<>();

  private record Answered(long atNanos, long sinceNanos) {}

  /**
   * Creates the table of a node that has reached nobody.
   *
   * @param nanoTime a monotonic clock, nanoseconds
   * @param lostAfterMillis a node that has not answered for so long is not reached
   */
  Reach(LongSupplier nanoTime, long lostAfterMillis) {
    this.nanoTime = nanoTime;
    this.lostAfterNanos = TimeUnit.MILLISECONDS.toNanos(lostAfterMillis);
  }

  static byte[] answerOf(String nodeId) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(64);
    DataOutputStream out = new DataOutputStream(bytes);
    try {
      out.writeByte(FORMAT);
      out.writeUTF(nodeId);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a byte array does not fail
    }
    return bytes.toByteArray();
  }

  /**
   * Notes an answer.
   *
   * @param nodeId who was meant
   * @return whether that node was not reached before
   * @throws IOException when the answer cannot be read
   */
  boolean answered(String nodeId, byte[] answer) throws IOException {
    if (answer.length == 0) {
      return false;
    }
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(answer));
    int format = in.readUnsignedByte();
    if (format != FORMAT) {
      throw new IOException("answer of format " + format + ", this version reads " + FORMAT);
    }
    if (!in.readUTF().equals(nodeId)) {
      return false;
    }
    long now = nanoTime.getAsLong();
    boolean before = reaches(nodeId);
    answered.compute(
        nodeId, (id, last) -> new Answered(now, before && last != null ? last.sinceNanos : now));
    return !before;
  }

  boolean reaches(String nodeId) {
    Answered last = answered.get(nodeId);
    return last != null && nanoTime.getAsLong() - last.atNanos < lostAfterNanos;
  }

  /** For how long the node has been reached without a break; 0 when it is not. */
  long reachedForMillis(String nodeId) {
    Answered last = answered.get(nodeId);
    return last == null || !reaches(nodeId)
        ? 0
        : TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - last.sinceNanos);
  }

  /** All that are reached. */
  Set<String> reached() {
    return answered.keySet().stream().filter(this::reaches).collect(Collectors.toUnmodifiableSet());
  }
}
