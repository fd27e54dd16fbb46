// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.CurrentLoop;
import dev.cairn.server.peer.PeerTransport;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks other nodes for the terms of groups, as they are on their disks.
 *
 * <p>One message to a node is under way at a time. What is asked meanwhile, for whichever group,
 * travels together in the next one, as does what one round of an event loop asks: a node that leads
 * many groups sends no more messages than one that leads a single one. A question that waits is
 * asked later than it was put, never earlier.
 *
 * <p>Threads: any; the locks are never held while somebody else's code runs. Invariants:
 *
 * <ol>
 *   <li>Each question is answered exactly once.
 *   <li>A term is passed on only when the node sent one for each question; else all are unknown.
 * </ol>
 *
 * <pre>
 *   request  ::= format:1 question*
 *   question ::= incarnation:4 length:2 group:UTF-8
 *   answer   ::= term:8*                     for each question; 0 when the group is not on disk in
 *                                            that incarnation
 * </pre>
 */
final class TermQuestions {
  static final byte KIND = 70;
  static final int QUESTIONS_MAX = 1_024; // in one message; the others wait for the next
  static final int GROUP_BYTES_MAX = 1_024;
  private static final byte FORMAT = 1;
  private static final int QUESTION_HEAD_BYTES = Integer.BYTES + Short.BYTES;
  private static final long ANSWER_WITHIN_MILLIS = 500;
  private static final Logger log = LoggerFactory.getLogger(TermQuestions.class);

  private final Sender sender;
  private final Map<String, Questions> nodes = new ConcurrentHashMap<>();

  /** Carries a message to a node. */
  interface Sender {
    /** Sends a request; {@code done} is called exactly once, on a thread that must not block. */
    void send(String nodeId, byte[] request, Consumer<Answer> done);
  }

  private record Question(int incarnation, byte[] group, LongConsumer done) {
    int bytes() {
      return QUESTION_HEAD_BYTES + group.length;
    }
  }

  TermQuestions(Sender sender) {
    this.sender = sender;
  }

  /** Asks over the node's own connections. */
  static TermQuestions over(PeerTransport transport) {
    return new TermQuestions(
        (nodeId, request, done) ->
            transport.sendFromHere(nodeId, KIND, request, ANSWER_WITHIN_MILLIS, done));
  }

  /** Answers other nodes' questions from now on. */
  static void serve(PeerTransport transport, SharedLog sharedLog) {
    transport.handleOnLoop(KIND, (body, answer) -> answer.accept(answer(sharedLog, body)));
  }

  static byte[] answer(SharedLog sharedLog, byte[] body) {
    ByteBuffer request = ByteBuffer.wrap(body);
    if (!request.hasRemaining() || request.get() != FORMAT) {
      throw new IllegalArgumentException("questions for terms in an unknown format");
    }
    int most = Math.min(QUESTIONS_MAX, request.remaining() / QUESTION_HEAD_BYTES);
    ByteBuffer answer = ByteBuffer.allocate(most * Long.BYTES);
    while (request.hasRemaining()) {
      if (request.remaining() < QUESTION_HEAD_BYTES || !answer.hasRemaining()) {
        throw new IllegalArgumentException("questions for terms, cut or too many");
      }
      int incarnation = request.getInt();
      int length = Short.toUnsignedInt(request.getShort());
      if (length > GROUP_BYTES_MAX || length > request.remaining()) {
        throw new IllegalArgumentException("a group's name of " + length + " bytes");
      }
      byte[] name = new byte[length];
      request.get(name);
      String group = new String(name, StandardCharsets.UTF_8);
      // The term is read first: a replica that is wiped in between has another incarnation then.
      long term = sharedLog.term(group);
      answer.putLong(sharedLog.incarnation(group) == incarnation ? term : 0);
    }
    return Arrays.copyOf(answer.array(), answer.position());
  }

  /**
   * Asks a voter.
   *
   * @param group the group's name in UTF-8, at most {@link #GROUP_BYTES_MAX} bytes
   * @param done called exactly once, on a thread that must not block: the term on the voter's disk,
   *     0 when it did not say or does not hold the group in that incarnation
   */
  void ask(Peer voter, byte[] group, LongConsumer done) {
    nodes
        .computeIfAbsent(voter.nodeId(), Questions::new)
        .ask(new Question(voter.incarnation(), group, done));
  }

  /** What one node is asked. */
  private final class Questions {
    private final String nodeId;
    private final ArrayDeque<Question> waiting = new ArrayDeque<>(); // guarded by this
    private boolean underWay; // or to be sent at the end of a loop's round; guarded by this

    Questions(String nodeId) {
      this.nodeId = nodeId;
    }

    void ask(Question question) {
      synchronized (this) {
        waiting.add(question);
        if (underWay) {
          return;
        }
        underWay = true;
      }
      CurrentLoop.afterRound(this::sendNext);
    }

    /** Only whoever set {@code underWay}, or was told the last answer, calls this. */
    private void sendNext() {
      List<Question> next = new ArrayList<>();
      synchronized (this) {
        while (!waiting.isEmpty() && next.size() < QUESTIONS_MAX) {
          next.add(waiting.remove());
        }
        underWay = !next.isEmpty();
      }
      if (!next.isEmpty()) {
        sender.send(nodeId, encode(next), answer -> answered(next, answer));
      }
    }

    private static byte[] encode(List<Question> questions) {
      int bytes = Byte.BYTES;
      for (Question question : questions) {
        bytes += question.bytes();
      }
      ByteBuffer request = ByteBuffer.allocate(bytes).put(FORMAT);
      for (Question question : questions) {
        request
            .putInt(question.incarnation())
            .putShort((short) question.group().length)
            .put(question.group());
      }
      return request.array();
    }

    private void answered(List<Question> questions, Answer answer) {
      ByteBuffer terms =
          answer instanceof Answer.Received received
                  && received.body().length == questions.size() * Long.BYTES
              ? ByteBuffer.wrap(received.body())
              : null;
      for (Question question : questions) {
        long term = terms == null ? 0 : terms.getLong();
        try {
          question.done().accept(term);
        } catch (RuntimeException e) {
          log.error("peer={} an answer could not be delivered", nodeId, e);
        }
      }
      // Last: what the answers made others ask travels along.
      CurrentLoop.afterRound(this::sendNext);
    }
  }
}
