// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cairn.log.LogException;
import dev.cairn.server.FreePorts;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.peer.LocalPeers;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.raft.LogDamagedException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shard without groups: bugs on its loop, and its end. */
class ShardLoopTest {
  @TempDir Path temporary;
  private final List<RuntimeException> faults = new CopyOnWriteArrayList<>();
  private final Metrics metrics = new Metrics();
  private WrittenLog log;
  private PeerTransport transport;
  private ShardLoop loop;

  @BeforeEach
  void start() throws IOException {
    log = WrittenLog.open(temporary.resolve("log"), "node", faults::add, metrics);
    transport = LocalPeers.listen(FreePorts.next(), 1);
    loop =
        new ShardLoop(
            transport.loop(), "node", 1, log, Runnable::run, group -> Runnable::run, batch -> {});
  }

  @AfterEach
  void stop() {
    loop.end();
    closeTransport();
    log.close();
  }

  private void closeTransport() {
    if (transport != null) {
      transport.close();
      transport = null;
    }
  }

  @Test
  void aBugInWhatIsDoneOnTheLoopIsToldOnceAndNotAsAFaultOfTheDisk() {
    loop.run(ShardLoopTest::bug);
    loop.run(ShardLoopTest::bug);
    assertStopped();
  }

  @Test
  void aBugInWhatAPeerSentIsToldOnceAndNotAsAFaultOfTheDisk() {
    loop.run(() -> loop.receive(null));
    loop.run(() -> loop.receive(null));
    assertStopped();
  }

  @Test
  void aFaultOfTheLogStopsTheShardAndIsToldAsWhatItIs() {
    assertThat(loop.holdsBack()).isFalse();
    log.fault(new LogException(LogException.Kind.FAILED, "an fsync failed"));
    loop.run(ShardLoopTest::bug);
    assertThat(loop.ask(shard -> loop.holdsBack())).contains(true);
    assertThat(faults).hasSize(1);
    assertThat(faults.get(0)).isInstanceOf(LogDamagedException.class);
  }

  @Test
  void behindTheEndOfTheLoopTasksAreRunByWhoBringsThem() throws Exception {
    loop.end();
    closeTransport();
    CompletableFuture<Thread> ran = new CompletableFuture<>();
    loop.run(() -> ran.complete(Thread.currentThread()));
    assertThat(ran.get(20, TimeUnit.SECONDS)).isSameAs(Thread.currentThread());
    assertThat(loop.ask(shard -> 1)).isEmpty();
    assertThat(loop.holdsBack()).isTrue();
    loop.end(); // is no harm
  }

  private void assertStopped() {
    assertThat(loop.ask(shard -> loop.holdsBack())).contains(true);
    await().atMost(Duration.ofSeconds(60)).until(() -> !faults.isEmpty());
    assertThat(faults).hasSize(1);
    assertThat(faults.get(0))
        .isInstanceOf(RoundFailedException.class)
        .hasMessageContaining("a round of this node's groups failed");
  }

  private static void bug() {
    throw new IllegalStateException("a bug");
  }
}
