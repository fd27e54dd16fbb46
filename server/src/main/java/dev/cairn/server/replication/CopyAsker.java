// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Asks one node for one copy, each question again while there is hope.
 *
 * <p><b>Threads.</b> One, which may block; {@link #cancel} by any, and it waits for nothing.
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>A question is given up after {@link Times#silenceMillisMax} in which nothing came, or
 *       {@link Times#laterMillisMax} in which the node said "later".
 *   <li>Once cancelled, {@link #await} throws.
 * </ol>
 */
final class CopyAsker {
  private final PeerTransport transport;
  private final String nodeId;
  private final long number;
  private final Times times;
  private final CompletableFuture<Void> cancelled = new CompletableFuture<>();

  /** How long things are waited for. */
  record Times(long requestMillis, long retryMillis, long silenceMillisMax, long laterMillisMax) {
    static final Times DEFAULT = new Times(5_000, 200, 15_000, 120_000);
  }

  /** There is no copy to be had of that node, or not now. */
  static final class NoCopyException extends Exception {
    private static final long serialVersionUID = 1;

    NoCopyException(String message) {
      super(message);
    }
  }

  /** A question that is under way. */
  static final class Asked {
    private final byte kind;
    private final byte[] question;
    private CompletableFuture<Answer> answer;

    private Asked(byte kind, byte[] question) {
      this.kind = kind;
      this.question = question;
    }
  }

  /**
   * Of one copy.
   *
   * @param number of the copy, like that of no other
   */
  CopyAsker(PeerTransport transport, String nodeId, long number, Times times) {
    this.transport = transport;
    this.nodeId = nodeId;
    this.number = number;
    this.times = times;
  }

  Asked open(long group) {
    return asked(PeerMessageKind.COPY_OPEN, new CopyMessages.Open(number, group).encode());
  }

  Asked piece(String name, long offset, int length) {
    return asked(
        PeerMessageKind.COPY_PIECE, new CopyMessages.Piece(number, name, offset, length).encode());
  }

  /** The node may delete the copy. Nothing comes of it if the node does not hear it. */
  void close() {
    asked(PeerMessageKind.COPY_CLOSE, new CopyMessages.Close(number).encode());
  }

  void cancel() {
    cancelled.complete(null);
  }

  private Asked asked(byte kind, byte[] question) {
    Asked asked = new Asked(kind, question);
    send(asked);
    return asked;
  }

  private void send(Asked asked) {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    asked.answer = answer;
    transport.sendApart(
        Traffic.BULK,
        nodeId,
        asked.kind,
        asked.question,
        times.requestMillis(),
        Runnable::run,
        answer::complete);
  }

  /** What the node answers; asks it again where nothing came. */
  ByteBuffer await(Asked asked) throws NoCopyException {
    long beganNanos = System.nanoTime();
    while (true) {
      String why;
      boolean later = false;
      Answer answer = arrived(asked);
      if (answer instanceof Answer.Received received) {
        CopyMessages.Reply reply = CopyMessages.Reply.decode(received.body());
        if (reply instanceof CopyMessages.Reply.Done done) {
          return done.bytes();
        }
        if (reply instanceof CopyMessages.Reply.Refused refused) {
          throw new NoCopyException("node " + nodeId + " refused: " + refused.why());
        }
        why = ((CopyMessages.Reply.Later) reply).why();
        later = true;
      } else {
        why =
            answer instanceof Answer.NotSent notSent
                ? notSent.reason()
                : ((Answer.Lost) answer).reason();
      }
      long sinceMillis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos);
      if (sinceMillis > (later ? times.laterMillisMax() : times.silenceMillisMax())) {
        throw new NoCopyException("node " + nodeId + " gave no answer: " + why);
      }
      waitFor(cancelled, times.retryMillis());
      refuseWhenCancelled();
      send(asked);
    }
  }

  private Answer arrived(Asked asked) throws NoCopyException {
    waitFor(CompletableFuture.anyOf(asked.answer, cancelled), 2 * times.requestMillis());
    refuseWhenCancelled();
    return asked.answer.getNow(new Answer.Lost("nothing came", true));
  }

  void refuseWhenCancelled() throws NoCopyException {
    if (cancelled.isDone()) {
      throw new NoCopyException("cancelled");
    }
  }

  private static void waitFor(CompletableFuture<?> event, long millis) throws NoCopyException {
    try {
      event.get(millis, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      // The caller looks for itself.
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      throw new NoCopyException("interrupted");
    }
  }
}
