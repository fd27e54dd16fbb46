// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

import dev.cairn.client.Address;
import dev.cairn.client.Security;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Asks for the slots on a thread of its own while the generator goes on; one question at a time.
 */
final class SlotAsker implements AutoCloseable {
  private final List<Address> entries;
  private final int timeoutMillis;
  private final Security security;
  private final Runnable whenAnswered;
  private final ExecutorService thread;
  private final AtomicBoolean asking = new AtomicBoolean();
  private final AtomicReference<SlotMap> answer = new AtomicReference<>();

  /**
   * An asker.
   *
   * @param whenAnswered called on its thread when there is an answer to {@link #take}
   */
  SlotAsker(List<Address> entries, int timeoutMillis, Security security, Runnable whenAnswered) {
    this.entries = entries;
    this.timeoutMillis = timeoutMillis;
    this.security = security;
    this.whenAnswered = whenAnswered;
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread created = new Thread(task, "cairn-bench-slots");
              created.setDaemon(true);
              return created;
            });
  }

  /**
   * Asks one entry after the other until one answers; blocks.
   *
   * @throws IOException none answered; says what the last one did
   */
  static SlotMap ask(Iterable<Address> entries, int timeoutMillis, Security security)
      throws IOException {
    IOException last = new IOException("no node to ask");
    for (Address entry : entries) {
      try {
        return SlotMap.ask(entry, timeoutMillis, security);
      } catch (IOException failed) {
        last = failed;
      }
    }
    throw last;
  }

  /** Asks known masters, then the entries, unless a question is on its way. */
  void askSoon(List<Address> known) {
    if (!asking.compareAndSet(false, true)) {
      return;
    }
    Set<Address> servers = new LinkedHashSet<>(known);
    servers.addAll(entries);
    thread.execute(
        () -> {
          try {
            answer.set(ask(servers, timeoutMillis, security));
          } catch (IOException noAnswer) {
            // Asked again as long as something is missing.
          } finally {
            asking.set(false);
          }
          whenAnswered.run();
        });
  }

  /** The newest answer that was not taken yet, or null. */
  SlotMap take() {
    return answer.get() == null ? null : answer.getAndSet(null);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
