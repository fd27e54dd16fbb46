// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** A library that this JVM drives: it sets and gets, and the rest follows. */
abstract class SetAndGetLibrary implements Library {
  /** Enough for keys of every partition. */
  static final int KEYS = 24;

  private final String name;
  private final Map<String, Long> errors = new ConcurrentHashMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private final List<AtomicLong> rounds = new ArrayList<>();
  private volatile boolean finished;

  SetAndGetLibrary(String name) {
    this.name = name;
  }

  /** A client of one of the two ports. */
  interface SetAndGet {
    void set(String key, String value);

    String get(String key);
  }

  /** Its client of the client port. */
  abstract SetAndGet onClientPort();

  /** What else of it sets and gets, by name, while a node is lost. */
  Map<String, SetAndGet> others() {
    return Map.of();
  }

  /** Its client of the cluster, if it has a cluster mode. */
  abstract Optional<SetAndGet> inClusterMode();

  /** What an attempt fails with, all that caused it included. */
  static String met(Runnable attempt) {
    try {
      attempt.run();
      return "nothing";
    } catch (RuntimeException e) {
      StringWriter told = new StringWriter();
      e.printStackTrace(new PrintWriter(told));
      return told.toString();
    }
  }

  @Override
  public final List<String> reading(String key) {
    return Stream.concat(Stream.of(onClientPort()), inClusterMode().stream())
        .map(client -> met(() -> client.get(key)))
        .toList();
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final boolean hasClusterMode() {
    return inClusterMode().isPresent();
  }

  @Override
  public final void requests(int count) {
    SetAndGet client = inClusterMode().orElseThrow();
    for (int i = 0; i < count / 2; i++) {
      String key = name + i % KEYS;
      client.set(key, "value" + i);
      assertThat(client.get(key)).isEqualTo("value" + i);
    }
  }

  @Override
  public final void begin() {
    begin("port", onClientPort());
    inClusterMode().ifPresent(client -> begin("cluster", client));
    others().forEach(this::begin);
  }

  private void begin(String which, SetAndGet client) {
    AtomicLong count = new AtomicLong();
    rounds.add(count);
    Thread thread = new Thread(() -> work(which, client, count), name + "-" + which);
    threads.add(thread);
    thread.start();
  }

  private void work(String which, SetAndGet client, AtomicLong count) {
    Map<String, Set<String>> unsure = new HashMap<>(); // by key: writes that may yet take effect
    for (long round = 0; !finished; round++) {
      boolean clean = true;
      for (int i = 0; i < KEYS && !finished; i++) {
        String key = name + ":" + which + i;
        clean &= setAndGet(client, key, "value" + round, unsure);
      }
      if (clean) {
        count.incrementAndGet();
      }
    }
  }

  private boolean setAndGet(
      SetAndGet client, String key, String value, Map<String, Set<String>> unsure) {
    boolean acknowledged = false;
    try {
      client.set(key, value);
      acknowledged = true;
      String found = client.get(key);
      if (!value.equals(found) && !unsure.getOrDefault(key, Set.of()).contains(found)) {
        throw new IllegalStateException(key + " holds " + found + ", " + value + " was written");
      }
      return true;
    } catch (RuntimeException e) {
      if (!acknowledged) {
        unsure.computeIfAbsent(key, k -> new HashSet<>()).add(value);
      }
      errors.merge(kind(e), 1L, Long::sum);
      return false;
    }
  }

  /** The kind of an error: its class and text without numbers, and those of what caused it. */
  private static String kind(Throwable e) {
    StringBuilder text = new StringBuilder();
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      text.append(text.isEmpty() ? "" : " <- ")
          .append(cause.getClass().getSimpleName())
          .append(": ")
          .append(cause.getMessage());
    }
    return text.toString().replaceAll("\\d+", "N");
  }

  @Override
  public final long rounds() {
    return rounds.stream().mapToLong(AtomicLong::get).min().orElse(0);
  }

  @Override
  public final Map<String, Long> finish() {
    finished = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
    threads.clear();
    rounds.clear();
    finished = false;
    Map<String, Long> all = Map.copyOf(errors);
    errors.clear();
    return all;
  }
}
