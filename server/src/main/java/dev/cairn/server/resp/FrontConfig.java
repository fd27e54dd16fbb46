// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import dev.cairn.protocol.Limits;
import dev.cairn.server.access.AccessControl;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.command.ShutdownBy;
import dev.cairn.server.command.SlowLog;
import dev.cairn.server.peer.EventLoops;
import dev.cairn.server.tls.ClientTls;

/**
 * Where one port listens, its bounds, and what holds for all its connections.
 *
 * @param host address to listen on
 * @param port 0 takes a free one
 * @param cairnVersion what INFO says
 * @param loops those of its connections, each of which belongs to one; the caller's to close
 * @param bounds what connections may use
 * @param rules what holds for each connection
 */
public record FrontConfig(
    String host, int port, String cairnVersion, EventLoops loops, Bounds bounds, Rules rules) {
  private static final long MIB = 1024 * 1024;

  /**
   * What connections may use.
   *
   * @param connectionsMax one more is told so and closed
   * @param valueBytesMax longest value; a longer one, up to Redis' 512 MiB, is read past and
   *     refused
   * @param requestBytesMax most bytes that one connection's requests may hold, from their first
   *     byte to their reply; past it the connection waits, or is closed if one request alone
   *     exceeds it
   * @param nodeRequestBytesMax the same over all connections of this port; past it, whoever asks
   *     for more is closed
   * @param inFlightMax most requests of one connection that are being carried out
   * @param replyBytesHigh replies that wait for a slow reader, bytes: past it no further request of
   *     the connection is read
   * @param replyBytesMax the same: past it the connection is closed
   * @param slowReaderMillis a connection past {@code replyBytesHigh} that took nothing for so long
   *     is closed
   */
  public record Bounds(
      int connectionsMax,
      int valueBytesMax,
      long requestBytesMax,
      long nodeRequestBytesMax,
      int inFlightMax,
      int replyBytesHigh,
      long replyBytesMax,
      long slowReaderMillis) {
    public Bounds {
      if (connectionsMax < 1 || inFlightMax < 1 || valueBytesMax < 1) {
        throw new IllegalArgumentException("every bound of a front is at least 1");
      }
      if (requestBytesMax < (long) valueBytesMax + Limits.KEY_BYTES_MAX) {
        throw new IllegalArgumentException("requestBytesMax must hold the longest key and value");
      }
      if (replyBytesHigh < 1024 || replyBytesMax <= replyBytesHigh || slowReaderMillis < 1) {
        throw new IllegalArgumentException("replyBytesMax must exceed replyBytesHigh");
      }
    }

    /** The defaults, with a bound of its own on values. */
    public static Bounds of(int valueBytesMax) {
      long heap = Runtime.getRuntime().maxMemory();
      long requestBytesMax = Math.max(64 * MIB, 2L * valueBytesMax + MIB);
      return new Bounds(
          20_000,
          valueBytesMax,
          requestBytesMax,
          Math.max(requestBytesMax, Math.min(512 * MIB, heap / 4)),
          1024,
          (int) MIB,
          Math.max(256 * MIB, 4L * valueBytesMax),
          60_000);
    }

    /** The same with room for other many connections. */
    public Bounds withConnections(int most) {
      return new Bounds(
          most,
          valueBytesMax,
          requestBytesMax,
          nodeRequestBytesMax,
          inFlightMax,
          replyBytesHigh,
          replyBytesMax,
          slowReaderMillis);
    }
  }

  /**
   * What holds for each connection.
   *
   * @param levels how much reads and writes wait for, on a connection that has not said
   * @param slowLog where commands are kept that took long
   * @param shutdownBy whose SHUTDOWN is carried out
   * @param tls whether connections begin with TLS, and what clients show
   * @param access who may do what
   */
  public record Rules(
      ClientState.Defaults levels,
      SlowLog slowLog,
      ShutdownBy shutdownBy,
      ClientTls tls,
      AccessControl access) {
    /** Where nothing is configured: a slow log of its own, and nobody needs a password. */
    public static Rules defaults() {
      return new Rules(
          ClientState.Defaults.QUORUM,
          new SlowLog(),
          ShutdownBy.LOCAL,
          ClientTls.off(),
          AccessControl.open(CommandTable.catalog()));
    }
  }

  /** The defaults. */
  public static FrontConfig of(String host, int port, String cairnVersion, EventLoops loops) {
    Bounds bounds = Bounds.of(Limits.VALUE_BYTES_MAX_DEFAULT);
    return new FrontConfig(host, port, cairnVersion, loops, bounds, Rules.defaults());
  }

  /** The same with other bounds. */
  public FrontConfig with(Bounds others) {
    return new FrontConfig(host, port, cairnVersion, loops, others, rules);
  }

  /** The same with other rules. */
  public FrontConfig with(Rules others) {
    return new FrontConfig(host, port, cairnVersion, loops, bounds, others);
  }
}
