// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.protocol.Limits;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.command.SlowLog;

/**
 * Where one port listens, and its bounds.
 *
 * @param host address to listen on
 * @param port 0 takes a free one
 * @param cairnVersion what INFO says
 * @param threads event loops; each connection belongs to one
 * @param connectionsMax one more is told so and closed
 * @param valueBytesMax longest value; a longer one, up to Redis' 512 MiB, is read past and refused
 * @param requestBytesMax most bytes that one connection's requests may hold, from their first byte
 *     to their reply; past it the connection waits, or is closed if one request alone exceeds it
 * @param nodeRequestBytesMax the same over all connections of this port; past it, whoever asks for
 *     more is closed
 * @param inFlightMax most requests of one connection that are being carried out
 * @param replyBytesHigh replies that wait for a slow reader, bytes: past it no further request of
 *     the connection is read
 * @param replyBytesMax the same: past it the connection is closed
 * @param slowReaderMillis a connection past {@code replyBytesHigh} that took nothing for so long is
 *     closed
 * @param levels how much reads and writes wait for, on a connection that has not said
 * @param slowLog where commands are kept that took long
 * @param shutdownBy whose SHUTDOWN is carried out
 */
public record FrontConfig(
    String host,
    int port,
    String cairnVersion,
    int threads,
    int connectionsMax,
    int valueBytesMax,
    long requestBytesMax,
    long nodeRequestBytesMax,
    int inFlightMax,
    int replyBytesHigh,
    long replyBytesMax,
    long slowReaderMillis,
    ClientState.Defaults levels,
    SlowLog slowLog,
    ShutdownBy shutdownBy) {
  private static final long MIB = 1024 * 1024;

  public FrontConfig {
    if (threads < 1 || connectionsMax < 1 || inFlightMax < 1 || valueBytesMax < 1) {
      throw new IllegalArgumentException("every bound of a front is at least 1");
    }
    if (requestBytesMax < (long) valueBytesMax + Limits.KEY_BYTES_MAX) {
      throw new IllegalArgumentException("requestBytesMax must hold the longest key and value");
    }
    if (replyBytesHigh < 1024 || replyBytesMax <= replyBytesHigh || slowReaderMillis < 1) {
      throw new IllegalArgumentException("replyBytesMax must exceed replyBytesHigh");
    }
  }

  /** The defaults. */
  public static FrontConfig of(String host, int port, String cairnVersion) {
    return of(host, port, cairnVersion, Limits.VALUE_BYTES_MAX_DEFAULT);
  }

  /** The defaults, with a bound of its own on values. */
  public static FrontConfig of(String host, int port, String cairnVersion, int valueBytesMax) {
    long heap = Runtime.getRuntime().maxMemory();
    long requestBytesMax = Math.max(64 * MIB, 2L * valueBytesMax + MIB);
    return new FrontConfig(
        host,
        port,
        cairnVersion,
        Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() / 2)),
        20_000,
        valueBytesMax,
        requestBytesMax,
        Math.max(requestBytesMax, Math.min(512 * MIB, heap / 4)),
        1024,
        (int) MIB,
        Math.max(256 * MIB, 4L * valueBytesMax),
        60_000,
        ClientState.Defaults.QUORUM,
        new SlowLog(),
        ShutdownBy.LOCAL);
  }

  /** The same with other levels, a slow log that it shares, and another word on SHUTDOWN. */
  public FrontConfig with(ClientState.Defaults others, SlowLog shared, ShutdownBy by) {
    return new FrontConfig(
        host,
        port,
        cairnVersion,
        threads,
        connectionsMax,
        valueBytesMax,
        requestBytesMax,
        nodeRequestBytesMax,
        inFlightMax,
        replyBytesHigh,
        replyBytesMax,
        slowReaderMillis,
        others,
        shared,
        by);
  }
}
