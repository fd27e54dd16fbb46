// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * The libraries of other languages: {@code .ci/clients} runs it, with Python and Node.js on the
 * machine.
 */
@Tag("clients")
class OtherLibrariesTest extends LibrariesStory {
  private static final String REFUSED = ": (UNKNOWN|CLUSTERDOWN|TRYAGAIN) .*";
  private static final String REDIS_PY =
      "(ConnectionError|TimeoutError|ClusterDownError|TryAgainError): .*|ResponseError" + REFUSED;
  private static final String NODE_REDIS =
      "(DisconnectsClientError|SocketClosedUnexpectedlyError|TimeoutError|AggregateError): .*"
          + "|Error: (ECONNREFUSED|ECONNRESET|EPIPE)|SimpleError"
          + REFUSED;
  private static final String IOREDIS =
      "(MaxRetriesPerRequestError|ClusterAllFailedError): .*|Error: Connection is closed.*"
          + "|Error: (ECONNREFUSED|ECONNRESET|EPIPE)|(ReplyError|SimpleError)"
          + REFUSED;

  @Override
  List<Library> connect(Seed seed) {
    return all(seed);
  }

  /** Those of other languages. */
  static List<Library> all(Seed seed) {
    return List.of(
        new RedisCli(seed),
        new RedisBenchmark(seed),
        new ScriptLibrary("redis-py", REDIS_PY, seed, "/usr/bin/python3", "redis_py.py"),
        new ScriptLibrary("node-redis", NODE_REDIS, seed, "node", "node-redis.mjs"),
        new ScriptLibrary("ioredis", IOREDIS, seed, "node", "ioredis.mjs"));
  }
}
