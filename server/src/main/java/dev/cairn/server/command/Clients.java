// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** The connections of one port, and what they hold. May be called from any thread. */
public final class Clients {
  /**
   * What the open transactions of all connections may hold, and the keys that they gather, bytes.
   */
  static final long HELD_BYTES_MAX = 64L << 20;

  private final Map<Long, ClientState> open = new ConcurrentSkipListMap<>();
  private final AtomicInteger blocked = new AtomicInteger();
  private final AtomicLong held = new AtomicLong();
  private final Pause pause = new Pause();

  /** A connection has opened. */
  public void opened(ClientState client) {
    open.put(client.id(), client);
  }

  /** It has closed. On its event loop. */
  public void closed(ClientState client) {
    open.remove(client.id());
    end(client);
  }

  /**
   * Takes bytes for what a connection queues or watches, or for keys that it gathers.
   *
   * @throws Refusal where all connections together hold too much
   */
  void hold(long bytes) {
    if (held.addAndGet(bytes) > HELD_BYTES_MAX) {
      held.addAndGet(-bytes);
      throw Refusal.full(
          "the open transactions of this node hold too much; nothing was queued. Retry when others have ended");
    }
  }

  /** Gives back what was held. */
  void give(long bytes) {
    held.addAndGet(-bytes);
  }

  /** Ends a connection's transaction, if there is one, and whatever it watches. */
  void end(ClientState client) {
    held.addAndGet(-client.transaction().bytes());
    client.transaction().end();
  }

  /** Has a connection watch no key any more. */
  void unwatch(ClientState client) {
    long before = client.transaction().bytes();
    client.transaction().unwatch();
    held.addAndGet(client.transaction().bytes() - before);
  }

  /** What is held, bytes. */
  long held() {
    return held.get();
  }

  /** What CLIENT PAUSE holds up. */
  public Pause pause() {
    return pause;
  }

  /** One waits for others now: WAIT. */
  void blocks() {
    blocked.incrementAndGet();
  }

  /** It waits no more. */
  void unblocks() {
    blocked.decrementAndGet();
  }

  /** How many wait for others. */
  int blocked() {
    return blocked.get();
  }

  /** Those that are open, the oldest first. */
  Collection<ClientState> open() {
    return open.values();
  }
}
