// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;

/** The connections of one face, and what it counts. May be called from any thread. */
public final class Clients {
  private final Map<Long, ClientState> open = new ConcurrentSkipListMap<>();
  private final LongAdder received = new LongAdder();
  private final LongAdder commands = new LongAdder();

  /** A connection has opened. */
  public void opened(ClientState client) {
    open.put(client.id(), client);
    received.increment();
  }

  /** It has closed. */
  public void closed(ClientState client) {
    open.remove(client.id());
  }

  void commandRun() {
    commands.increment();
  }

  /** Those that are open, the oldest first. */
  Collection<ClientState> open() {
    return open.values();
  }

  /** How many there were since the start, or since the counters were reset. */
  long received() {
    return received.sum();
  }

  /** How many commands they had run, counted in the same way. */
  long commandsRun() {
    return commands.sum();
  }

  void resetCounters() {
    received.reset();
    commands.reset();
  }
}
