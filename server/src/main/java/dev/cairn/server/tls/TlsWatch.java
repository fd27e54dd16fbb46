// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Looks every few seconds whether certificates, keys and secrets have changed. */
public final class TlsWatch implements AutoCloseable {
  /** Two looks, and what changed is used, or has been found wrong, within ten seconds. */
  private static final long EVERY_MILLIS = 3_000;

  private final ScheduledExecutorService looking;

  private TlsWatch(ScheduledExecutorService looking) {
    this.looking = looking;
  }

  /** Begins. Where nothing is spoken over TLS there is nothing to look at. */
  public static TlsWatch start(ClientTls clients, PeerTls peers) {
    ScheduledExecutorService looking =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "tls-files");
              thread.setDaemon(true);
              return thread;
            });
    if (clients.mode() != TlsMode.OFF || peers.mode() != TlsMode.OFF) {
      looking.scheduleWithFixedDelay(
          () -> {
            clients.look();
            peers.look();
          },
          EVERY_MILLIS,
          EVERY_MILLIS,
          TimeUnit.MILLISECONDS);
    }
    return new TlsWatch(looking);
  }

  @Override
  public void close() {
    looking.shutdownNow();
  }
}
