// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import io.netty.channel.Channel;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * The connections of a port that have not shown yet what they must: whose handshake goes on, and of
 * a peer's port those that have not proven who they are.
 *
 * <p>Invariant: there are at most {@link #MOST}, each for at most {@link Engine#HANDSHAKE_MILLIS}.
 * One more ends the oldest: who only connects and waits is pushed out by others like him, and who
 * goes on has long been let in. Threads: any.
 */
public final class Handshakes {
  /** A handshake holds some 100 KB for a moment. */
  static final int MOST = 512;

  private final int most;
  private final Set<Channel> open = new LinkedHashSet<>(); // guarded by itself, the oldest first
  private final LongAdder done = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder pushedOut = new LongAdder();

  /** With the default bound. */
  public Handshakes() {
    this(MOST);
  }

  Handshakes(int most) {
    this.most = most;
  }

  /** A connection begins; ends with {@link #done}, or with the connection, and in time. */
  public void began(Channel channel) {
    Optional<Channel> oldest = Optional.empty();
    synchronized (open) {
      if (!open.add(channel)) {
        return;
      }
      if (open.size() > most) {
        Iterator<Channel> all = open.iterator();
        oldest = Optional.of(all.next());
        all.remove();
      }
    }
    oldest.ifPresent(
        each -> {
          pushedOut.increment();
          each.close();
        });
    channel
        .closeFuture()
        .addListener(
            closed -> {
              if (remove(channel)) {
                failed.increment();
              }
            });
    channel
        .eventLoop()
        .schedule(
            () -> {
              if (isOpen(channel)) {
                channel.close();
              }
            },
            Engine.HANDSHAKE_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  /** It has shown what it must. */
  public void done(Channel channel) {
    if (remove(channel)) {
      done.increment();
    }
  }

  /** How many there are now. */
  public int count() {
    synchronized (open) {
      return open.size();
    }
  }

  /** How many were let in. */
  public long succeeded() {
    return done.sum();
  }

  /** How many ended before. */
  public long failed() {
    return failed.sum();
  }

  /** How many gave way to others. */
  public long pushedOut() {
    return pushedOut.sum();
  }

  private boolean isOpen(Channel channel) {
    synchronized (open) {
      return open.contains(channel);
    }
  }

  private boolean remove(Channel channel) {
    synchronized (open) {
      return open.remove(channel);
    }
  }
}
