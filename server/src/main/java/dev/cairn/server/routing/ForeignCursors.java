// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.routing;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.PeerMessageKind;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Where a cursor goes on that another node made: that node is asked, once and not for long. If it
 * does not tell, the scan goes on at the partition's start.
 *
 * <pre>
 *   question ::= format:1 cursor:8
 *   answer   ::= format:1 (0 | 1 from)         it is not known (any more) | the first key to look at
 *   format   ::= 1
 * </pre>
 */
final class ForeignCursors {
  private static final byte FORMAT = 1;
  private static final int ASK_MILLIS = 500;

  private final String selfId;
  private final ScanCursors own;
  private final PeerTransport transport;
  private final Supplier<ClusterState> current;

  /**
   * Answers other nodes from now on.
   *
   * @param own the cursors of this node
   * @param current the cluster; null until this node belongs to one
   */
  ForeignCursors(
      String selfId, ScanCursors own, PeerTransport transport, Supplier<ClusterState> current) {
    this.selfId = selfId;
    this.own = own;
    this.transport = transport;
    this.current = current;
    transport.handle(PeerMessageKind.SCAN_POSITION, (body, answer) -> answer.accept(answer(body)));
  }

  /** A cursor of this node, of a step that was made: so there is a cluster. */
  long cursor(long before, ScanPosition position) {
    ClusterState cluster = current.get();
    List<Member> members = cluster.members();
    int index = 0;
    while (index < members.size() && !members.get(index).id().equals(selfId)) {
      index++;
    }
    return own.cursor(before, cluster.partitions().size(), index, position);
  }

  /** Where any cursor goes on. */
  void position(long cursor, Consumer<ScanPosition> done) {
    ClusterState cluster = current.get();
    int partitions = cluster == null ? 0 : cluster.partitions().size();
    ScanPosition start = ScanCursors.start(cursor, partitions);
    Optional<Member> maker =
        partitions == 0
            ? Optional.empty()
            : maker(cluster.members(), ScanCursors.node(cursor, partitions));
    if (maker.isEmpty()) {
      done.accept(start);
    } else if (maker.get().id().equals(selfId)) {
      done.accept(own.find(cursor, partitions).orElse(start));
    } else {
      transport.send(
          maker.get().id(),
          PeerMessageKind.SCAN_POSITION,
          0,
          ByteBuffer.allocate(1 + Long.BYTES).put(FORMAT).putLong(cursor).array(),
          ASK_MILLIS,
          answer -> done.accept(read(answer, start)));
    }
  }

  private static Optional<Member> maker(List<Member> members, OptionalInt index) {
    for (int i = 0; i < members.size() && index.isPresent(); i++) {
      if (ScanCursors.isNode(i, index.getAsInt())) {
        return Optional.of(members.get(i));
      }
    }
    return Optional.empty();
  }

  private byte[] answer(byte[] body) {
    ClusterState cluster = current.get();
    int partitions = cluster == null ? 0 : cluster.partitions().size();
    ByteBuffer question = ByteBuffer.wrap(body);
    if (body.length != 1 + Long.BYTES || question.get() != FORMAT) {
      throw new IllegalArgumentException("a scan position is asked for in an unknown format");
    }
    byte[] from =
        own.find(question.getLong(), partitions).map(ScanPosition::from).orElse(new byte[0]);
    return ByteBuffer.allocate(2 + from.length)
        .put(FORMAT)
        .put((byte) (from.length == 0 ? 0 : 1))
        .put(from)
        .array();
  }

  private static ScanPosition read(Answer answer, ScanPosition start) {
    if (answer instanceof Answer.Received received
        && received.body().length > 2
        && received.body()[0] == FORMAT
        && received.body()[1] == 1) {
      byte[] body = received.body();
      return new ScanPosition(start.partition(), Arrays.copyOfRange(body, 2, body.length));
    }
    return start;
  }
}
