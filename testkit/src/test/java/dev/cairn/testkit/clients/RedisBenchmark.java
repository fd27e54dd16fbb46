// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * redis-benchmark: a run is a round. It may end with 0 whatever it met; what it met, it prints. Its
 * cluster mode ends when a node is lost, so only the client port is tried then.
 */
final class RedisBenchmark implements Library {
  private static final List<String> FAILED =
      List.of("Error", "ERROR", "error:", "WARNING", "Could not");

  private final Seed seed;
  private final AtomicLong rounds = new AtomicLong();
  private final Map<String, Long> errors = new ConcurrentHashMap<>();
  private volatile boolean finished;
  private Thread thread;

  RedisBenchmark(Seed seed) {
    this.seed = seed;
  }

  @Override
  public String name() {
    return "redis-benchmark";
  }

  @Override
  public void worksOnTheClientPort() {
    run("-t", "set,get", "-n", "500");
    run("-t", "set,get", "-n", "500", "-P", "16");
    run("-t", "set,get", "-n", "500", "--cluster");
  }

  private void run(String... arguments) {
    run(seed, arguments);
  }

  private static void run(Seed to, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "redis-benchmark", "-h", to.host(), "-p", Integer.toString(to.port()), "-c", "8"));
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
                        "-a",
                        account.password())));
    command.addAll(List.of(arguments));
    String output = Tool.run(List.of(), command);
    if (FAILED.stream().anyMatch(output::contains) || !output.contains("throughput summary: ")) {
      throw new IllegalStateException(output);
    }
  }

  /** It runs any command, and tells errors when it is told to. */
  @Override
  public List<String> reading(String key) {
    return List.of(
        SetAndGetLibrary.met(() -> run("-e", "-n", "10", "GET", key)),
        SetAndGetLibrary.met(() -> run("-e", "-n", "10", "--cluster", "GET", key)));
  }

  @Override
  public List<String> comingWith(String password) {
    Seed other = seed.withPassword(password);
    return List.of(
        SetAndGetLibrary.met(() -> run(other, "-t", "get", "-n", "10")),
        SetAndGetLibrary.met(() -> run(other, "-t", "get", "-n", "10", "--cluster")));
  }

  @Override
  public boolean hasClusterMode() {
    return false;
  }

  @Override
  public void worksInClusterMode() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void requests(int count) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void begin() {
    thread =
        new Thread(
            () -> {
              while (!finished) {
                try {
                  run("-t", "set,get", "-n", "200", "-r", "1000");
                  rounds.incrementAndGet();
                } catch (IllegalStateException e) {
                  errors.merge(e.getMessage().replaceAll("\\d+", "N"), 1L, Long::sum);
                }
              }
            },
            name());
    thread.start();
  }

  @Override
  public long rounds() {
    return rounds.get();
  }

  @Override
  public String expectedErrors() {
    return "(?s).*(CLUSTERDOWN|TRYAGAIN|UNKNOWN) .*";
  }

  @Override
  public Map<String, Long> finish() {
    finished = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
    return Map.copyOf(errors);
  }

  @Override
  public void close() {
    finished = true;
  }
}
