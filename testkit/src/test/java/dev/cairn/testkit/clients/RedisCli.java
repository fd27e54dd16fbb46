// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** redis-cli: one process a port that is told a command a line. */
final class RedisCli extends SetAndGetLibrary {
  private final Seed seed;
  private final int port;
  private final int clusterPort;
  private final Conversation one;

  RedisCli(Seed seed) {
    super("redis-cli");
    this.seed = seed;
    port = seed.port();
    clusterPort = seed.clusterPort();
    one = new Conversation();
  }

  private static List<String> command(Seed to) {
    List<String> command = new ArrayList<>(List.of("redis-cli", "-h", to.host()));
    to.account()
        .ifPresent(
            account ->
                command.addAll(
                    List.of(
                        "--tls",
                        "--cacert",
                        account.ca().toString(),
                        "--user",
                        account.user(),
                        "--pass",
                        account.password(),
                        "--no-auth-warning")));
    return command;
  }

  @Override
  public List<String> comingWith(String password) {
    Seed other = seed.withPassword(password);
    return List.of(
        met(() -> heard(run(other, List.of(), "-p", port, "GET", "key7"))),
        met(() -> heard(run(other, List.of(), "-c", "-p", clusterPort, "GET", "key7"))));
  }

  private static void heard(String output) {
    throw new IllegalStateException(output);
  }

  @Override
  public String expectedErrors() {
    return "IllegalStateException: (CLUSTERDOWN|TRYAGAIN|UNKNOWN) .*";
  }

  @Override
  SetAndGet onClientPort() {
    return one;
  }

  /** It follows MOVED and knows no topology: tried with the client port. */
  @Override
  Optional<SetAndGet> inClusterMode() {
    return Optional.empty();
  }

  @Override
  public void worksOnTheClientPort() {
    List<String> sets = IntStream.range(0, KEYS).mapToObj(i -> "SET key" + i + " " + i).toList();
    assertThat(run(sets, "-p", port, "--pipe")).contains("errors: 0, replies: " + KEYS);
    assertThat(run(List.of(), "-p", port, "-3", "GET", "key7")).isEqualTo("7");
    assertThat(one.say("MULTI")).isEqualTo("OK");
    assertThat(one.say("INCR key7")).isEqualTo("QUEUED");
    assertThat(one.say("EXEC")).isEqualTo("8");
    assertThat(one.say("SET key7 7")).isEqualTo("OK");
    assertThat(one.say("SET short lived EX 100")).isEqualTo("OK");
    assertThat(Integer.parseInt(one.say("TTL short"))).isBetween(90, 100);
    assertThat(one.say("DBSIZE")).isEqualTo("" + (KEYS + 1));
    assertThat(run(List.of(), "-p", port, "--scan", "--pattern", "key*").lines())
        .doesNotHaveDuplicates()
        .hasSize(KEYS);
    List<String> gets = IntStream.range(0, KEYS).mapToObj(i -> "GET key" + i).toList();
    assertThat(run(gets, "-c", "-p", clusterPort).lines().filter(line -> !line.startsWith("-> ")))
        .containsExactlyElementsOf(IntStream.range(0, KEYS).mapToObj(Integer::toString).toList());
  }

  @Override
  public void worksInClusterMode() {
    throw new UnsupportedOperationException();
  }

  private String run(List<String> input, Object... arguments) {
    return run(seed, input, arguments);
  }

  private static String run(Seed to, List<String> input, Object... arguments) {
    List<String> command = command(to);
    Arrays.stream(arguments).map(Object::toString).forEach(command::add);
    return Tool.run(input, command);
  }

  @Override
  public void close() {
    one.close();
  }

  /** A process that stays. */
  private final class Conversation implements SetAndGet {
    private final Process process;
    private final BufferedWriter commands;
    private final BufferedReader replies;

    Conversation() {
      List<String> command = command(seed);
      command.addAll(List.of("-p", Integer.toString(port)));
      try {
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      commands = process.outputWriter(StandardCharsets.UTF_8);
      replies = process.inputReader(StandardCharsets.UTF_8);
    }

    String say(String command) {
      try {
        commands.write(command);
        commands.newLine();
        commands.flush();
        String reply;
        do {
          reply = replies.readLine(); // behind an error it leaves a line empty
        } while (reply != null && reply.isEmpty());
        return reply == null ? "redis-cli ended" : reply;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void set(String key, String value) {
      String reply = say("SET " + key + " " + value);
      if (!reply.equals("OK")) {
        throw new IllegalStateException(reply);
      }
    }

    @Override
    public String get(String key) {
      String reply = say("GET " + key);
      if (!reply.startsWith("value")) {
        throw new IllegalStateException(reply);
      }
      return reply;
    }

    void close() {
      process.destroyForcibly();
    }
  }
}
