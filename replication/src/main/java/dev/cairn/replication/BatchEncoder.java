// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.Batch;
import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes one batch as {@link BatchCodec} says. It goes through the batch twice by the same code:
 * first it counts bytes and numbers nodes and peers, which must stand in front, then it writes into
 * an array of just that size.
 *
 * <p>A batch that another thread changes meanwhile makes it fail, not write something wrong.
 */
final class BatchEncoder {
  private final Map<String, Integer> nodes = new HashMap<>();
  private final List<byte[]> names = new ArrayList<>(); // by number
  private final Map<Peer, Integer> peers = new HashMap<>();
  private final List<Peer> peersByNumber = new ArrayList<>();

  private long size;
  private byte[] bytes; // null while it counts
  private int at;

  byte[] encode(Batch batch) {
    write(batch);
    writeTables(); // nothing is numbered any more
    if (size > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException("a batch of " + size + " bytes fits into no array");
    }
    bytes = new byte[(int) size];
    writeTables();
    write(batch);
    if (at != bytes.length) {
      throw new IllegalStateException("a batch changed while it was written");
    }
    return bytes;
  }

  private void writeTables() {
    one(BatchCodec.FORMAT);
    number(names.size());
    for (byte[] name : names) {
      one(name.length);
      all(name);
    }
    number(peersByNumber.size());
    for (Peer peer : peersByNumber) {
      node(peer.node());
      number(peer.incarnation());
    }
  }

  private void write(Batch batch) {
    Batch.Beat beat = batch.beat();
    Batch.BeatReply reply = batch.reply();
    one(
        (beat == null ? 0 : BatchCodec.WITH_BEAT)
            | (beat == null || beat.led() == null ? 0 : BatchCodec.WITH_LIST)
            | (reply == null ? 0 : BatchCodec.WITH_REPLY));
    node(batch.from());
    node(batch.to());
    number(batch.session());
    if (beat != null) {
      write(beat);
    }
    if (reply != null) {
      write(reply);
    }
    number(batch.messages().size());
    for (Batch.Envelope envelope : batch.messages()) {
      number(envelope.group());
      write(envelope.message());
    }
  }

  private void write(Batch.Beat beat) {
    number(beat.version());
    number(beat.question());
    if (beat.led() != null) {
      number(beat.led().size());
      for (Batch.Led led : beat.led()) {
        number(led.group());
        peer(led.leader());
        peer(led.member());
        number(led.term());
      }
    }
  }

  private void write(Batch.BeatReply reply) {
    number(reply.session());
    number(reply.version());
    number(reply.question());
    number(reply.silent().size());
    for (long group : reply.silent()) {
      number(group);
    }
  }

  // ---- Messages ----

  private void write(Message message) {
    if (message instanceof Message.Append append) {
      head(BatchCodec.APPEND, append);
      write(append);
    } else if (message instanceof Message.AppendReply reply) {
      head(BatchCodec.APPEND_REPLY, reply);
      write(reply);
    } else if (message instanceof Message.Beat beat) {
      head(BatchCodec.BEAT, beat);
      number(beat.commit());
      number(beat.round());
      write(beat.keep());
    } else if (message instanceof Message.BeatReply reply) {
      head(BatchCodec.BEAT_REPLY, reply);
      flag(reply.installing());
      number(reply.round());
      number(reply.flushed());
      number(reply.commit());
    } else if (message instanceof Message.Vote vote) {
      head(BatchCodec.VOTE, vote);
      write(vote.ballot());
      number(vote.lastIndex());
      number(vote.lastTerm());
    } else if (message instanceof Message.VoteReply reply) {
      head(BatchCodec.VOTE_REPLY, reply);
      write(reply.ballot());
      flag(reply.granted());
    } else if (message instanceof Message.Install install) {
      head(BatchCodec.INSTALL, install);
      number(install.reference().index());
      number(install.reference().term());
      number(install.reference().configurationIndex());
      write(install.reference().configuration());
    } else if (message instanceof Message.InstallReply reply) {
      head(BatchCodec.INSTALL_REPLY, reply);
      number(reply.index());
    } else if (message instanceof Message.TakeOver takeOver) {
      head(BatchCodec.TAKE_OVER, takeOver);
    } else if (message instanceof Message.Outdated outdated) {
      head(BatchCodec.OUTDATED, outdated);
    } else {
      throw new IllegalArgumentException("there is no kind for " + message);
    }
  }

  private void head(byte kind, Message message) {
    one(kind);
    peer(message.from());
    peer(message.to());
    number(message.term());
  }

  private void write(Message.Append append) {
    number(append.prevIndex());
    number(append.prevTerm());
    number(append.commit());
    number(append.round());
    write(append.keep());
    number(append.entries().size());
    long index = append.prevIndex();
    long term = append.prevTerm();
    for (Entry entry : append.entries()) {
      if (entry.index() != index + 1 || entry.term() < term) {
        throw new IllegalArgumentException(entry + " does not follow " + index + "@" + term);
      }
      write(entry, entry.term() - term);
      index = entry.index();
      term = entry.term();
    }
  }

  private void write(Entry entry, long rise) {
    if (entry.configuration() != null) {
      if (entry.data() != null) {
        throw new IllegalArgumentException(entry + " has data and a configuration");
      }
      one(BatchCodec.CONFIGURATION);
      number(rise);
      write(entry.configuration());
    } else if (entry.data() != null) {
      one(BatchCodec.DATA);
      number(rise);
      number(entry.data().length);
      all(entry.data());
    } else {
      one(BatchCodec.FIRST);
      number(rise);
    }
  }

  private void write(Message.AppendReply reply) {
    flag(reply.accepted());
    number(reply.index());
    number(reply.hintIndex());
    number(reply.hintTerm());
    number(reply.round());
    number(reply.flushed());
    number(reply.base());
    number(reply.commit());
  }

  private void write(Message.Keep keep) {
    number(keep.from());
    number(keep.configurationIndex());
  }

  private void write(Message.Ballot ballot) {
    one(
        switch (ballot) {
          case PRE -> BatchCodec.PRE;
          case REAL -> BatchCodec.REAL;
          case TRANSFER -> BatchCodec.TRANSFER;
        });
  }

  private void write(Configuration configuration) {
    number(configuration.epoch());
    write(configuration.voters());
    write(configuration.outgoing());
    number(configuration.learners().size());
    for (Peer learner : configuration.learners()) {
      peer(learner);
    }
  }

  private void write(List<Member> members) {
    number(members.size());
    for (Member member : members) {
      one(member.role() == Role.WITNESS ? Codec.WITNESS : Codec.REPLICA);
      peer(member.peer());
    }
  }

  // ---- Who ----

  private void peer(Peer peer) {
    Integer known = peers.get(peer);
    number(known != null ? known : numberAnew(peer));
  }

  private int numberAnew(Peer peer) {
    mayStillNumber();
    int number = peersByNumber.size();
    if (!nodes.containsKey(peer.node())) {
      numberAnew(peer.node());
    }
    peers.put(peer, number);
    peersByNumber.add(peer);
    return number;
  }

  private void node(String node) {
    Integer known = nodes.get(node);
    number(known != null ? known : numberAnew(node));
  }

  private int numberAnew(String node) {
    mayStillNumber();
    byte[] name = node.getBytes(StandardCharsets.UTF_8);
    if (name.length > BatchCodec.NAME_BYTES_MAX
        || !new String(name, StandardCharsets.UTF_8).equals(node)) {
      throw new IllegalArgumentException(
          "a node's name must be UTF-8 of at most "
              + BatchCodec.NAME_BYTES_MAX
              + " bytes, which is not so of '"
              + node
              + "'");
    }
    int number = names.size();
    nodes.put(node, number);
    names.add(name);
    return number;
  }

  private void mayStillNumber() {
    if (bytes != null) {
      throw new IllegalStateException("a batch changed while it was written");
    }
  }

  // ---- Bytes ----

  private void flag(boolean value) {
    one(value ? 1 : 0);
  }

  private void one(int value) {
    if (bytes == null) {
      size++;
    } else {
      bytes[at++] = (byte) value;
    }
  }

  private void all(byte[] value) {
    if (bytes == null) {
      size += value.length;
    } else {
      System.arraycopy(value, 0, bytes, at, value.length);
      at += value.length;
    }
  }

  private void number(long value) {
    if (value < 0) {
      throw new IllegalArgumentException("a batch has no number below 0, and not " + value);
    }
    if (bytes == null) {
      size += sizeOf(value);
      return;
    }
    long rest = value;
    while (rest > 0x7F) {
      bytes[at++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    bytes[at++] = (byte) rest;
  }

  private static int sizeOf(long number) {
    int bits = Long.SIZE - Long.numberOfLeadingZeros(number | 1);
    return (bits + 6) / 7;
  }
}
