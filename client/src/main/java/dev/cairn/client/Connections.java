// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import java.io.IOException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** The connections that are open, a few for each address; made when first used. Thread-safe. */
final class Connections {
  private record Key(Address address, int index) {}

  private final Settings settings;
  private final ConcurrentMap<Key, Connection> usable = new ConcurrentHashMap<>();
  private volatile boolean closed;

  Connections(Settings settings) {
    this.settings = settings;
  }

  /**
   * A connection to an address, which may still be connecting.
   *
   * @param spread calls with the same number share a connection
   */
  Connection to(Address address, int spread) {
    Key key = new Key(address, Math.floorMod(spread, settings.connectionsPerNode()));
    Connection existing = usable.get(key);
    if (existing != null) {
      return existing;
    }
    Connection connection =
        usable.computeIfAbsent(
            key,
            absent -> {
              Connection made =
                  new Connection(address, settings, ended -> usable.remove(absent, ended));
              made.start();
              return made;
            });
    if (closed) {
      connection.close(new IOException("the client is closed"));
    }
    return connection;
  }

  void close() {
    closed = true;
    usable
        .values()
        .forEach(connection -> connection.close(new IOException("the client is closed")));
  }
}
