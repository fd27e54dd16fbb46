// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.peer.AcceptedConnection;
import dev.cairn.server.peer.PeerTransport;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Gives copies of replicas to other nodes, piece by piece ({@link CopyMessages}). Each of them is
 * an {@link OfferedCopy}, made when it is asked for and deleted when it is closed, or when nobody
 * has asked for a while.
 *
 * <p><b>Threads.</b> Questions come on the transport's threads that may block, in any order. No
 * question waits for a checkpoint or a checksum: what takes longer than a moment is answered with
 * "later".
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>At most {@link #COPIES_MAX} checkpoints exist at once, those that are being made or deleted
 *       among them; who comes on top is told to ask again.
 *   <li>Each question is answered exactly once, whatever it is.
 * </ol>
 */
final class CopySender implements AutoCloseable {
  static final int COPIES_MAX = 8;

  /** How long a checkpoint is kept for who does not ask. */
  static final long IDLE_MILLIS = 60_000;

  private static final long LATER_AFTER_MILLIS = 2_000;
  private static final long CLOSE_MILLIS_MAX = 5_000;

  private final CopySource source;
  private final long idleMillis;
  private final long laterAfterMillis;
  private final Map<Long, OfferedCopy> copies = new HashMap<>(); // by number; guarded by this
  private boolean closed; // guarded by this

  /** What answers one question. */
  private interface Answering {
    CompletableFuture<byte[]> answer(String asker, byte[] question) throws IOException;
  }

  /** Answers other nodes from now on. */
  CopySender(PeerTransport transport, CopySource source) {
    this(transport, source, IDLE_MILLIS, LATER_AFTER_MILLIS);
  }

  /**
   * With other times, for tests.
   *
   * @param laterAfterMillis how long a question waits
   */
  CopySender(PeerTransport transport, CopySource source, long idleMillis, long laterAfterMillis) {
    this.source = source;
    this.idleMillis = idleMillis;
    this.laterAfterMillis = laterAfterMillis;
    transport.handleApart(PeerMessageKind.COPY_OPEN, handler(this::open));
    transport.handleApart(PeerMessageKind.COPY_PIECE, handler(this::piece));
    transport.handleApart(PeerMessageKind.COPY_CLOSE, handler(this::close));
  }

  private PeerTransport.ConnectionHandler handler(Answering answering) {
    return (AcceptedConnection from, byte[] question, Consumer<byte[]> answer) -> {
      CompletableFuture<byte[]> answered;
      try {
        answered = answering.answer(from.remoteAddress(), question);
      } catch (IOException | RuntimeException e) {
        answered = CompletableFuture.failedFuture(e);
      }
      answered
          .exceptionally(e -> CopyMessages.refused(why(e)))
          .completeOnTimeout(
              CopyMessages.later("the copy is being made"), laterAfterMillis, TimeUnit.MILLISECONDS)
          .thenAccept(answer);
    };
  }

  private static String why(Throwable e) {
    Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    return cause instanceof IOException || cause instanceof IllegalArgumentException
        ? String.valueOf(cause.getMessage())
        : cause.toString();
  }

  private CompletableFuture<byte[]> open(String asker, byte[] question) {
    CopyMessages.Open open = CopyMessages.Open.decode(question);
    OfferedCopy copy;
    boolean isNew = false;
    synchronized (this) {
      copy = copies.get(open.number());
      if (copy == null) {
        if (closed) {
          return refused("this node is stopping");
        }
        if (copies.size() >= COPIES_MAX) {
          return CompletableFuture.completedFuture(
              CopyMessages.later("this node gives " + COPIES_MAX + " copies already"));
        }
        copy = new OfferedCopy(source, open.group(), asker, idleMillis, () -> ended(open.number()));
        copies.put(open.number(), copy);
        isNew = true;
      }
    }
    if (copy.group() != open.group()) {
      return refused("the copy with this number is one of another group");
    }
    CompletableFuture<byte[]> manifest = copy.manifest();
    if (isNew) {
      copy.start();
    }
    return manifest;
  }

  private CompletableFuture<byte[]> piece(String asker, byte[] question) throws IOException {
    CopyMessages.Piece piece = CopyMessages.Piece.decode(question);
    OfferedCopy copy = copy(piece.number());
    return copy == null
        ? refused("this node gives no copy with this number, or no more")
        : copy.piece(piece);
  }

  private CompletableFuture<byte[]> close(String asker, byte[] question) {
    OfferedCopy copy = copy(CopyMessages.Close.decode(question).number());
    if (copy != null) {
      copy.close();
    }
    return CompletableFuture.completedFuture(CopyMessages.done(0));
  }

  private synchronized OfferedCopy copy(long number) {
    return copies.get(number);
  }

  private synchronized void ended(long number) {
    copies.remove(number);
    notifyAll();
  }

  private static CompletableFuture<byte[]> refused(String why) {
    return CompletableFuture.completedFuture(CopyMessages.refused(why));
  }

  /**
   * Ends all copies, and waits a while until their checkpoints are deleted. What the source does
   * not delete in that time it may be called for later.
   */
  @Override
  public void close() {
    List<OfferedCopy> left;
    synchronized (this) {
      closed = true;
      left = List.copyOf(copies.values());
    }
    left.forEach(OfferedCopy::close);
    long deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS_MAX);
    try {
      synchronized (this) {
        for (long nanos = 1; !copies.isEmpty() && nanos > 0; ) {
          nanos = deadlineNanos - System.nanoTime();
          TimeUnit.NANOSECONDS.timedWait(this, nanos);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
