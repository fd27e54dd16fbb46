// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.Batch;
import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.SnapshotReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads one batch as {@link BatchCodec} says, from bytes that may be anything. Whatever they are,
 * it gives a batch or throws {@link BatchException}.
 *
 * <p>Each count is held against the bytes that are left, by the least that one of what it counts
 * takes, before anything is allocated for it.
 */
final class BatchDecoder {
  private static final int NODE_BYTES_MIN = 1;
  private static final int PEER_BYTES_MIN = 2;
  private static final int LED_BYTES_MIN = 4;
  private static final int ENVELOPE_BYTES_MIN = 5;
  private static final int ENTRY_BYTES_MIN = 2;
  private static final int MEMBER_BYTES_MIN = 2;

  private static final int LAST_SHIFT = 56; // of a number's ninth byte

  private final byte[] bytes;
  private int at;
  private String[] nodes;
  private Peer[] peers;

  BatchDecoder(byte[] bytes) {
    this.bytes = bytes;
  }

  Batch decode() {
    int format = one() & 0xFF;
    if (format != BatchCodec.FORMAT) {
      throw new BatchException(
          "a batch has format "
              + format
              + "; this release reads format "
              + BatchCodec.FORMAT
              + ". Run one release on all nodes, or releases that follow each other.");
    }
    readNodes();
    readPeers();
    Batch batch = batch();
    if (at < bytes.length) {
      throw wrong(bytes.length - at + " bytes are too many");
    }
    return batch;
  }

  // ---- Who ----

  private void readNodes() {
    nodes = new String[count(NODE_BYTES_MIN, "nodes")];
    for (int i = 0; i < nodes.length; i++) {
      int length = one() & 0xFF;
      int begin = skip(length);
      nodes[i] = new String(bytes, begin, length, StandardCharsets.UTF_8);
      byte[] again = nodes[i].getBytes(StandardCharsets.UTF_8);
      if (!Arrays.equals(again, 0, again.length, bytes, begin, begin + length)) {
        throw wrong("a node's name is not UTF-8");
      }
    }
  }

  private void readPeers() {
    peers = new Peer[count(PEER_BYTES_MIN, "peers")];
    for (int i = 0; i < peers.length; i++) {
      peers[i] = new Peer(node(), number());
    }
  }

  private String node() {
    return nodes[below(nodes.length, "node")];
  }

  private Peer peer() {
    return peers[below(peers.length, "peer")];
  }

  private int below(int count, String what) {
    long number = number();
    if (number >= count) {
      throw wrong("there is no " + what + " " + number + " of " + count);
    }
    return (int) number;
  }

  // ---- What nodes say ----

  private Batch batch() {
    int flags = one();
    boolean withBeat = (flags & BatchCodec.WITH_BEAT) != 0;
    boolean withList = (flags & BatchCodec.WITH_LIST) != 0;
    boolean withReply = (flags & BatchCodec.WITH_REPLY) != 0;
    int known = BatchCodec.WITH_BEAT | BatchCodec.WITH_LIST | BatchCodec.WITH_REPLY;
    if ((flags & ~known) != 0 || (withList && !withBeat)) {
      throw wrong("there are no flags " + (flags & 0xFF));
    }
    String from = node();
    String to = node();
    long session = number();
    Batch.Beat beat = withBeat ? beat(withList) : null;
    Batch.BeatReply reply = withReply ? reply() : null;
    int count = count(ENVELOPE_BYTES_MIN, "messages");
    List<Batch.Envelope> messages = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      messages.add(new Batch.Envelope(number(), message()));
    }
    return new Batch(from, to, session, beat, reply, messages);
  }

  private Batch.Beat beat(boolean withList) {
    long version = number();
    long question = number();
    return new Batch.Beat(version, withList ? list() : null, question);
  }

  private List<Batch.Led> list() {
    int count = count(LED_BYTES_MIN, "groups");
    List<Batch.Led> led = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      led.add(new Batch.Led(number(), peer(), peer(), number()));
    }
    return led;
  }

  private Batch.BeatReply reply() {
    long session = number();
    long version = number();
    long question = number();
    int count = count(1, "groups");
    List<Long> silent = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      silent.add(number());
    }
    return new Batch.BeatReply(session, version, question, silent);
  }

  // ---- Messages ----

  private Message message() {
    byte kind = one();
    Peer from = peer();
    Peer to = peer();
    long term = number();
    return switch (kind) {
      case BatchCodec.VOTE -> new Message.Vote(from, to, term, ballot(), number(), number());
      case BatchCodec.VOTE_REPLY -> new Message.VoteReply(from, to, term, ballot(), flag());
      case BatchCodec.APPEND -> append(from, to, term);
      case BatchCodec.APPEND_REPLY -> appendReply(from, to, term);
      case BatchCodec.BEAT -> new Message.Beat(from, to, term, number(), number(), keep());
      case BatchCodec.BEAT_REPLY -> beatReply(from, to, term);
      case BatchCodec.INSTALL -> install(from, to, term);
      case BatchCodec.INSTALL_REPLY -> new Message.InstallReply(from, to, term, number());
      case BatchCodec.TAKE_OVER -> new Message.TakeOver(from, to, term);
      case BatchCodec.OUTDATED -> new Message.Outdated(from, to, term);
      default -> throw wrong("there is no kind of message " + kind);
    };
  }

  private Message.Append append(Peer from, Peer to, long term) {
    long prevIndex = number();
    long prevTerm = number();
    long commit = number();
    long round = number();
    Message.Keep keep = keep();
    List<Entry> entries = entries(prevIndex, prevTerm);
    return new Message.Append(from, to, term, prevIndex, prevTerm, entries, commit, round, keep);
  }

  private List<Entry> entries(long prevIndex, long prevTerm) {
    int count = count(ENTRY_BYTES_MIN, "entries");
    if (prevIndex > Long.MAX_VALUE - count) {
      throw wrong("behind " + prevIndex + " there are no " + count + " entries");
    }
    List<Entry> entries = new ArrayList<>(count);
    long index = prevIndex;
    long term = prevTerm;
    for (int i = 0; i < count; i++) {
      byte kind = one();
      long rise = number();
      if (rise > Long.MAX_VALUE - term) {
        throw wrong("a term rises from " + term + " by " + rise);
      }
      index++;
      term += rise;
      entries.add(
          switch (kind) {
            case BatchCodec.DATA -> new Entry(index, term, data(), null);
            case BatchCodec.CONFIGURATION -> new Entry(index, term, null, configuration());
            case BatchCodec.FIRST -> new Entry(index, term, null, null);
            default -> throw wrong("there is no kind of entry " + kind);
          });
    }
    return entries;
  }

  private byte[] data() {
    int length = count(1, "bytes of data");
    int begin = skip(length);
    return Arrays.copyOfRange(bytes, begin, begin + length);
  }

  private Message.AppendReply appendReply(Peer from, Peer to, long term) {
    boolean accepted = flag();
    long index = number();
    long hintIndex = number();
    long hintTerm = number();
    long round = number();
    long flushed = number();
    long base = number();
    long commit = number();
    return new Message.AppendReply(
        from, to, term, accepted, index, hintIndex, hintTerm, round, flushed, base, commit);
  }

  private Message.BeatReply beatReply(Peer from, Peer to, long term) {
    boolean installing = flag();
    return new Message.BeatReply(from, to, term, number(), number(), number(), installing);
  }

  private Message.Install install(Peer from, Peer to, long term) {
    long index = number();
    long indexTerm = number();
    long configurationIndex = number();
    return new Message.Install(
        from,
        to,
        term,
        new SnapshotReference(index, indexTerm, configuration(), configurationIndex));
  }

  private Message.Keep keep() {
    return new Message.Keep(number(), number());
  }

  private Message.Ballot ballot() {
    byte ballot = one();
    return switch (ballot) {
      case BatchCodec.PRE -> Message.Ballot.PRE;
      case BatchCodec.REAL -> Message.Ballot.REAL;
      case BatchCodec.TRANSFER -> Message.Ballot.TRANSFER;
      default -> throw wrong("there is no ballot " + ballot);
    };
  }

  // ---- Configurations ----

  private Configuration configuration() {
    long epoch = number();
    List<Member> voters = members();
    List<Member> outgoing = members();
    int count = count(1, "learners");
    List<Peer> learners = new ArrayList<>(count);
    Peer before = null;
    for (int i = 0; i < count; i++) {
      before = peerBehind(before);
      learners.add(before);
    }
    return new Configuration(epoch, voters, outgoing, learners);
  }

  private List<Member> members() {
    int count = count(MEMBER_BYTES_MIN, "members");
    List<Member> members = new ArrayList<>(count);
    Peer before = null;
    for (int i = 0; i < count; i++) {
      Role role = role();
      before = peerBehind(before);
      members.add(new Member(before, role));
    }
    return members;
  }

  private Role role() {
    byte role = one();
    return switch (role) {
      case Codec.REPLICA -> Role.REPLICA;
      case Codec.WITNESS -> Role.WITNESS;
      default -> throw wrong("there is no role " + role);
    };
  }

  /** A peer that does not come before the last one: then a configuration has nothing to sort. */
  private Peer peerBehind(Peer before) {
    Peer peer = peer();
    if (before != null && before.compareTo(peer) > 0) {
      throw wrong("members of a configuration are not in order");
    }
    return peer;
  }

  // ---- Bytes ----

  private byte one() {
    return bytes[skip(1)];
  }

  private boolean flag() {
    byte flag = one();
    if (flag != 0 && flag != 1) {
      throw wrong(flag + " is neither yes nor no");
    }
    return flag == 1;
  }

  private long number() {
    long value = 0;
    for (int shift = 0; shift <= LAST_SHIFT; shift += 7) {
      byte next = one();
      value |= (long) (next & 0x7F) << shift;
      if (next > 0 || (next == 0 && shift == 0)) {
        return value;
      }
      if (next == 0) {
        throw wrong("a number has a longer form than it needs");
      }
    }
    throw wrong("a number has more than 63 bits");
  }

  /** How many come that take so many bytes each, at least. */
  private int count(int bytesMin, String what) {
    long count = number();
    int left = bytes.length - at;
    if (count > left / bytesMin) {
      throw wrong("there is no room for " + count + " " + what);
    }
    return (int) count;
  }

  /** Goes on by so many bytes, if they are there, and says where they begin. */
  private int skip(int length) {
    if (length > bytes.length - at) {
      throw wrong("it is cut short");
    }
    int begin = at;
    at += length;
    return begin;
  }

  private BatchException wrong(String what) {
    return new BatchException(
        "a batch of "
            + bytes.length
            + " bytes cannot be read: "
            + what
            + ", at byte "
            + at
            + ". The connection that brought it is to be ended.");
  }
}
