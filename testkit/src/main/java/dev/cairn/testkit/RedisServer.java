// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** A {@code redis-server} of this machine, empty, that keeps nothing. */
public final class RedisServer implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final int port;
  private final Path folder;
  private final Process process;

  private RedisServer(int port, Path folder, Process process) {
    this.port = port;
    this.folder = folder;
    this.process = process;
  }

  /** Starts one with one database and Cairn's bound on values, and waits until it answers. */
  public static RedisServer start() {
    try {
      int port = FreePorts.take(1).get(0);
      Path folder = Files.createTempDirectory("cairn-redis");
      ProcessBuilder builder =
          new ProcessBuilder(
              "redis-server",
              "--port",
              Integer.toString(port),
              "--dir",
              folder.toString(),
              "--save",
              "",
              "--databases",
              "1",
              "--proto-max-bulk-len",
              "16777216");
      builder.redirectErrorStream(true);
      builder.redirectOutput(folder.resolve("log").toFile());
      RedisServer server = new RedisServer(port, folder, Children.start(builder));
      await().atMost(TIMEOUT).ignoreExceptions().until(server::answers);
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a folder for redis-server", e);
    }
  }

  private boolean answers() throws IOException {
    try (RespConnection connection = connect()) {
      return RespConnection.text(connection.call("PING")).equals("PONG");
    }
  }

  /** Where it listens. */
  public int port() {
    return port;
  }

  /** A new connection. */
  public RespConnection connect() throws IOException {
    return RespConnection.to(port, TIMEOUT);
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
    try {
      Folders.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder, e);
    }
  }
}
