// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.Membership;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What nodes tell of themselves when they are asked, so that whoever watches needs to ask one node
 * only. Too much to be in each {@code NodeReport}, which goes to everybody twice a second.
 *
 * <pre>
 *   question ::= format:1 topic:1
 *   answer   ::= format:1 byte*        JSON
 *   topic    ::= 1 STATS | 2 SLOW_LOG
 *   format   ::= 1
 * </pre>
 */
public final class NodeDocuments {
  private static final byte FORMAT = 1;
  private static final int ASK_MILLIS = 700;

  private final String selfId;
  private final Membership membership;
  private final PeerTransport transport;
  private final Supplier<ClusterState> current;
  private final Function<Topic, byte[]> own;

  /** What can be asked for. */
  public enum Topic {
    /** What a node measures. */
    STATS(1),
    /** The commands that took longest lately. */
    SLOW_LOG(2);

    private final byte code;

    Topic(int code) {
      this.code = (byte) code;
    }

    private static Topic of(byte code) {
      return Arrays.stream(values())
          .filter(topic -> topic.code == code)
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("no topic has the number " + code));
    }
  }

  /**
   * Answers other nodes from now on.
   *
   * @param current the cluster; null until this node belongs to one
   * @param own what this node tells, JSON; any thread
   */
  NodeDocuments(
      String selfId,
      Membership membership,
      PeerTransport transport,
      Supplier<ClusterState> current,
      Function<Topic, byte[]> own) {
    this.selfId = selfId;
    this.membership = membership;
    this.transport = transport;
    this.current = current;
    this.own = own;
    transport.handleApart(
        PeerMessageKind.DOCUMENT, (from, body, answer) -> answer.accept(answer(body)));
  }

  /**
   * Asks every node that is up; not for long.
   *
   * @param done what those told who did, by their ids; on any thread
   */
  void ask(Topic topic, Consumer<Map<String, byte[]>> done) {
    Map<String, byte[]> told = new ConcurrentHashMap<>();
    told.put(selfId, own.apply(topic));
    ClusterState cluster = current.get();
    List<Member> others =
        cluster == null
            ? List.of()
            : cluster.members().stream()
                .filter(member -> !member.id().equals(selfId) && membership.isUp(member.id()))
                .toList();
    AtomicInteger missing = new AtomicInteger(others.size() + 1);
    Runnable oneMore =
        () -> {
          if (missing.decrementAndGet() == 0) {
            done.accept(told);
          }
        };
    for (Member member : others) {
      transport.send(
          member.id(),
          PeerMessageKind.DOCUMENT,
          0,
          new byte[] {FORMAT, topic.code},
          ASK_MILLIS,
          answer -> {
            read(answer).ifPresent(document -> told.put(member.id(), document));
            oneMore.run();
          });
    }
    oneMore.run();
  }

  private static Optional<byte[]> read(Answer answer) {
    return answer instanceof Answer.Received received
            && received.body().length > 1
            && received.body()[0] == FORMAT
        ? Optional.of(Arrays.copyOfRange(received.body(), 1, received.body().length))
        : Optional.empty();
  }

  private byte[] answer(byte[] question) {
    if (question.length != 2 || question[0] != FORMAT) {
      throw new IllegalArgumentException("a document is asked for in an unknown format");
    }
    byte[] document = own.apply(Topic.of(question[1]));
    byte[] answer = new byte[1 + document.length];
    answer[0] = FORMAT;
    System.arraycopy(document, 0, answer, 1, document.length);
    return answer;
  }
}
