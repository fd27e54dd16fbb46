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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Random batches: any message with any numbers that a batch may have, whether or not a group would
 * say that. And what a batch says, to compare, since an entry's data is equal to itself alone.
 */
final class Batches {
  private static final List<String> NODES =
      List.of("a", "b", "", "zwölf", "0123456789abcdef0123456789abcdef01234567", "x".repeat(255));

  private static final List<Message.Ballot> BALLOTS = List.of(Message.Ballot.values());

  private final RandomGenerator random;

  Batches(RandomGenerator random) {
    this.random = random;
  }

  /** What a batch says, with the bytes of entries. */
  static String text(Batch batch) {
    StringBuilder text = new StringBuilder(batch.toString());
    for (Batch.Envelope envelope : batch.messages()) {
      if (envelope.message() instanceof Message.Append append) {
        for (Entry entry : append.entries()) {
          text.append('\n').append(Arrays.toString(entry.data())).append(entry.configuration());
        }
      }
    }
    return text.toString();
  }

  /** The next one. */
  Batch next() {
    return new Batch(
        node(),
        node(),
        number(),
        random.nextBoolean() ? null : beat(),
        random.nextBoolean() ? null : reply(),
        some(8, () -> new Batch.Envelope(number(), message())));
  }

  private Batch.Beat beat() {
    List<Batch.Led> led =
        random.nextBoolean()
            ? null
            : some(5, () -> new Batch.Led(number(), peer(), peer(), number()));
    return new Batch.Beat(number(), led, number());
  }

  private Batch.BeatReply reply() {
    return new Batch.BeatReply(number(), number(), number(), some(5, this::number));
  }

  private Message message() {
    Peer from = peer();
    Peer to = peer();
    long term = number();
    return switch (random.nextInt(10)) {
      case 0 -> new Message.Vote(from, to, term, ballot(), number(), number());
      case 1 -> new Message.VoteReply(from, to, term, ballot(), random.nextBoolean());
      case 2 -> append(from, to, term);
      case 3 ->
          new Message.AppendReply(
              from,
              to,
              term,
              random.nextBoolean(),
              number(),
              number(),
              number(),
              number(),
              number(),
              number(),
              number());
      case 4 -> new Message.Beat(from, to, term, number(), number(), keep());
      case 5 ->
          new Message.BeatReply(from, to, term, number(), number(), number(), random.nextBoolean());
      case 6 ->
          new Message.Install(
              from, to, term, new SnapshotReference(number(), number(), configuration(), number()));
      case 7 -> new Message.InstallReply(from, to, term, number());
      case 8 -> new Message.TakeOver(from, to, term);
      default -> new Message.Outdated(from, to, term);
    };
  }

  private Message.Append append(Peer from, Peer to, long term) {
    long prevIndex = number() / 2;
    long prevTerm = number() / 2;
    List<Entry> entries = new ArrayList<>();
    long entryTerm = prevTerm;
    for (int i = 1, count = random.nextInt(6); i <= count; i++) {
      if (random.nextInt(3) == 0) {
        entryTerm += number() / 16;
      }
      entries.add(entry(prevIndex + i, entryTerm));
    }
    return new Message.Append(
        from, to, term, prevIndex, prevTerm, entries, number(), number(), keep());
  }

  private Entry entry(long index, long term) {
    return switch (random.nextInt(4)) {
      case 0 -> new Entry(index, term, null, null);
      case 1 -> new Entry(index, term, null, configuration());
      default -> {
        byte[] data = new byte[random.nextInt(random.nextInt(10) == 0 ? 300 : 9)];
        random.nextBytes(data);
        yield new Entry(index, term, data, null);
      }
    };
  }

  private Message.Keep keep() {
    return random.nextBoolean() ? new Message.Keep(0, 0) : new Message.Keep(number(), number());
  }

  private Message.Ballot ballot() {
    return BALLOTS.get(random.nextInt(BALLOTS.size()));
  }

  private Configuration configuration() {
    return random.nextInt(8) == 0
        ? Configuration.NONE
        : new Configuration(
            number(), some(4, this::member), some(4, this::member), some(3, this::peer));
  }

  private Member member() {
    return new Member(peer(), random.nextBoolean() ? Role.REPLICA : Role.WITNESS);
  }

  private Peer peer() {
    return new Peer(node(), random.nextInt(4) == 0 ? number() : random.nextInt(3));
  }

  private String node() {
    return NODES.get(random.nextInt(NODES.size()));
  }

  /** From 0 to Long.MAX_VALUE, as often of one length as of another. */
  private long number() {
    int bits = random.nextInt(Long.SIZE);
    return random.nextInt(16) == 0
        ? (1L << bits) - (bits == Long.SIZE - 1 ? 1 : random.nextInt(2))
        : random.nextLong() >>> (Long.SIZE - 1 - bits) >>> 1;
  }

  private <T> List<T> some(int below, Supplier<T> each) {
    List<T> list = new ArrayList<>();
    for (int i = random.nextInt(below); i > 0; i--) {
      list.add(each.get());
    }
    return list;
  }
}
