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
  private static final List<String> FAILED = List.of("Error", "error:", "WARNING", "Could not");

  private final String host;
  private final int port;
  private final AtomicLong rounds = new AtomicLong();
  private final Map<String, Long> errors = new ConcurrentHashMap<>();
  private volatile boolean finished;
  private Thread thread;

  RedisBenchmark(String host, int port) {
    this.host = host;
    this.port = port;
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
    List<String> command =
        new ArrayList<>(
            List.of("redis-benchmark", "-h", host, "-p", Integer.toString(port), "-c", "8"));
    command.addAll(List.of(arguments));
    String output = Tool.run(List.of(), command);
    if (FAILED.stream().anyMatch(output::contains) || !output.contains("throughput summary: ")) {
      throw new IllegalStateException(output);
    }
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
