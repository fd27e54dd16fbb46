// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.server.peer.PeerAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Whether a leader's process is known to have ended, and what follows. */
class ElectionsTest {
  private static final int LEASE_MILLIS = 60_000;

  @Test
  void whoRefusesConnectionsHasEnded() throws IOException {
    ServerSocket server = listen();
    server.close();
    assertThat(Elections.processEnded(address(server))).isTrue();
  }

  @Test
  void whoTakesAConnectionAndStaysMuteMayBeWhole() throws IOException {
    try (ServerSocket server = listen()) {
      assertThat(Elections.processEnded(address(server))).isFalse();
    }
  }

  @Test
  void whoEndsAConnectionAtOnceHasEnded() throws Exception {
    try (ServerSocket server = listen()) {
      Thread forwarding =
          new Thread(
              () -> {
                try {
                  server.accept().close();
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      forwarding.start();
      assertThat(Elections.processEnded(address(server))).isTrue();
      forwarding.join();
    }
  }

  @Test
  void itsFollowersStandAlthoughTheyHeardItJustNow() throws IOException {
    ServerSocket leader = listen();
    try (Elections elections =
        new Elections(
            id -> Optional.of(address(leader)),
            TimeUnit.DAYS.toMillis(1))) { // nobody looks but for that
      Follower follower = new Follower();
      Candidacy candidacy = new Candidacy(follower, false, LEASE_MILLIS, new Random(1));
      Peer peer = new Peer("leader", 1);
      elections.opened("group", candidacy, () -> Optional.of(peer));
      leader.close();
      elections.connectionEnded();
      await().atMost(30, TimeUnit.SECONDS).until(() -> follower.stood.get() > 0);
      elections.closed("group");
    }
  }

  @Test
  void whoIsHeardForAWhileAndThenNotLosesItsFollowers() {
    try (Elections elections = new Elections(id -> Optional.empty())) {
      Follower follower = new Follower();
      elections.opened(
          "group", new Candidacy(follower, false, 500, new Random(1)), () -> Optional.empty());
      await().during(1, TimeUnit.SECONDS).until(() -> follower.stood.get() == 0);
      follower.fallSilent();
      await().atMost(30, TimeUnit.SECONDS).until(() -> follower.stood.get() > 1);
    }
  }

  private static ServerSocket listen() throws IOException {
    return new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
  }

  private static PeerAddress address(ServerSocket server) {
    return new PeerAddress("127.0.0.1", server.getLocalPort());
  }

  /** Hears its leader all the time, unless told otherwise. */
  private static final class Follower implements Candidacy.Follower {
    private final AtomicInteger stood = new AtomicInteger();
    private volatile boolean leaseEnded;
    private volatile long lastHeardNanos;

    @Override
    public boolean waits() {
      return true;
    }

    @Override
    public long silentMillis() {
      long silent = lastHeardNanos == 0 ? 0 : (System.nanoTime() - lastHeardNanos) / 1_000_000;
      return leaseEnded ? LEASE_MILLIS : silent;
    }

    void fallSilent() {
      lastHeardNanos = System.nanoTime();
    }

    @Override
    public void endLease() {
      leaseEnded = true;
    }

    @Override
    public void stand() {
      stood.incrementAndGet();
    }
  }
}
