// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.cairn.consensus.Batch;
import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Entry;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Message;
import dev.cairn.consensus.Peer;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.SnapshotReference;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every batch arrives as it was sent, and bytes that are no batch are refused by one exception
 * within bounds of memory. Longer: {@code -Dcairn.batch.fuzz.seconds=600}, and with other inputs
 * {@code -Dcairn.batch.fuzz.seed=}.
 */
class BatchCodecTest {
  private static final int FUZZ_INPUTS = 100_000;
  private static final long FUZZ_SECONDS = Long.getLong("cairn.batch.fuzz.seconds", 0);
  private static final long FUZZ_SEED = Long.getLong("cairn.batch.fuzz.seed", 1);

  /** What decoding may allocate for each byte: six can be an entry that has a configuration. */
  private static final long ALLOCATED_PER_BYTE_MAX = 300;

  /** And at all, with an exception. */
  private static final long ALLOCATED_MAX = 8 << 10;

  private static final Peer A = new Peer("a", 1);
  private static final Peer B = new Peer("b", 300);
  private static final Message.Keep KEEP = new Message.Keep(6, 2);
  private static final Configuration JOINT =
      new Configuration(
          300,
          List.of(new Member(A, Role.REPLICA), new Member(B, Role.WITNESS)),
          List.of(new Member(A, Role.REPLICA)),
          List.of(new Peer("c", 0)));
  private static final List<Message> MESSAGES =
      List.of(
          new Message.Vote(A, B, 7, Message.Ballot.PRE, 128, 6),
          new Message.Vote(A, B, 7, Message.Ballot.REAL, 128, 6),
          new Message.VoteReply(A, B, 7, Message.Ballot.TRANSFER, true),
          new Message.Append(
              A,
              B,
              7,
              127,
              5,
              List.of(
                  new Entry(128, 5, new byte[] {(byte) 0xDA, 0x7A}, null),
                  new Entry(129, 5, new byte[0], null),
                  new Entry(130, 5, null, JOINT),
                  new Entry(131, 7, null, null)),
              129,
              4,
              KEEP),
          new Message.AppendReply(A, B, 7, false, 1, 2, 3, 4, 5, 6, Long.MAX_VALUE),
          new Message.Beat(A, B, 7, 131, 4, KEEP),
          new Message.BeatReply(A, B, 7, 4, 100, 131, true),
          new Message.Install(A, B, 7, new SnapshotReference(131, 7, JOINT, 130)),
          new Message.InstallReply(A, B, 7, 131),
          new Message.TakeOver(A, B, 7),
          new Message.Outdated(A, B, 7));

  private static Batch of(Message... messages) {
    List<Batch.Envelope> envelopes =
        Arrays.stream(messages).map(message -> new Batch.Envelope(9, message)).toList();
    return new Batch("a", "b", 2, null, null, envelopes);
  }

  private static void arrives(Batch batch) {
    byte[] bytes = BatchCodec.encode(batch);
    Batch arrived = BatchCodec.decode(bytes);
    assertThat(Batches.text(arrived)).isEqualTo(Batches.text(batch));
    assertThat(BatchCodec.encode(arrived)).isEqualTo(bytes);
  }

  // ---- What arrives ----

  @Test
  void everyKindOfMessageArrives() {
    Set<Class<?>> kinds = new HashSet<>();
    for (Message message : MESSAGES) {
      arrives(of(message));
      kinds.add(message.getClass());
    }
    assertThat(kinds).containsExactlyInAnyOrder(Message.class.getPermittedSubclasses());
  }

  @Test
  void whatIsMissingIsMissingThere() {
    List<Batch.Led> led = List.of(new Batch.Led(9, A, B, 7));
    for (List<Batch.Led> list : Arrays.asList(null, List.<Batch.Led>of(), led)) {
      Batch.Beat beat = new Batch.Beat(3, list, 4);
      arrives(new Batch("a", "b", 2, beat, null, List.of()));
      arrives(new Batch("a", "b", 2, beat, new Batch.BeatReply(1, 2, 3, List.of(9L)), List.of()));
    }
    arrives(new Batch("a", "b", 2, null, new Batch.BeatReply(1, 2, 3, List.of()), List.of()));
    arrives(of());
  }

  @Test
  void randomBatchesArrive() {
    Batches batches = new Batches(new SplittableRandom(1));
    for (int i = 0; i < 5_000; i++) {
      arrives(batches.next());
    }
  }

  /** A value of 16 MiB is legal, and each copy of it costs. */
  @Test
  void aLargeEntryIsCopiedOnce() {
    byte[] data = new byte[20 << 20];
    new SplittableRandom(1).nextBytes(data);
    Entry entry = new Entry(1, 7, data, null);
    Batch batch = of(new Message.Append(A, B, 7, 0, 0, List.of(entry), 0, 0, KEEP));
    Wire.cross(batch); // loads the classes

    long before = allocated();
    byte[] bytes = BatchCodec.encode(batch);
    long encoded = allocated();
    Batch arrived = BatchCodec.decode(bytes);
    long decoded = allocated();

    assertThat(bytes.length).isLessThan(data.length + 64);
    assertThat(encoded - before).isLessThan(data.length + ALLOCATED_MAX);
    assertThat(decoded - encoded).isLessThan(data.length + ALLOCATED_MAX);
    Message.Append append = (Message.Append) arrived.messages().get(0).message();
    assertThat(Arrays.equals(append.entries().get(0).data(), data)).isTrue();
  }

  @Test
  void namesStandOnce() {
    String leader = "0".repeat(40);
    String follower = "1".repeat(40);
    List<Batch.Envelope> envelopes =
        new SplittableRandom(1)
            .longs(1000, 0, 100)
            .mapToObj(
                group -> {
                  Peer from = new Peer(leader, group);
                  Peer to = new Peer(follower, group);
                  return new Batch.Envelope(
                      group,
                      new Message.AppendReply(
                          from, to, 20, true, 1 << 20, 0, 0, 9, 1 << 20, 1 << 19, 1 << 20));
                })
            .toList();
    Batch batch = new Batch(leader, follower, 2, null, null, envelopes);

    arrives(batch);
    assertThat(BatchCodec.encode(batch).length).isLessThan(1000 * 26 + 100 * 4 + 100);
  }

  // ---- Bytes ----

  /** Written out, so that no change of them goes unnoticed: a change of these is a new format. */
  @Test
  void theBytesAreThese() {
    Batch batch =
        new Batch(
            "a",
            "b",
            2,
            new Batch.Beat(3, List.of(new Batch.Led(9, A, B, 7)), 4),
            new Batch.BeatReply(1, 2, 3, List.of(200L)),
            MESSAGES.stream().map(message -> new Batch.Envelope(9, message)).toList());

    assertThat(BatchCodec.encode(batch))
        .asHexString()
        .isEqualTo(
            hex(
                """
                01                                              # format
                03 01 61 01 62 01 63                            # nodes a, b, c
                03 00 01 01 AC02 02 00                          # peers a.1, b.300, c.0
                07 00 01 02                                     # all three, from a, to b, session
                03 04 01  09 00 01 07                           # beat with a list of one
                01 02 03 01  C801                               # reply with one group
                0B                                              # messages
                09 01 00 01 07  01 8001 06                      # VOTE
                09 01 00 01 07  02 8001 06
                09 02 00 01 07  03 01                           # VOTE_REPLY
                09 03 00 01 07  7F 05 8101 04 06 02 04          # APPEND
                  01 00 02 DA7A
                  01 00 00
                  02 00 AC02  02 01 00 02 01  01 01 00  01 02
                  03 02
                09 04 00 01 07  00 01 02 03 04 05 06 FFFFFFFFFFFFFFFF7F
                09 05 00 01 07  8301 04 06 02                   # BEAT
                09 06 00 01 07  01 04 64 8301                   # BEAT_REPLY
                09 07 00 01 07  8301 07 8201                    # INSTALL
                  AC02  02 01 00 02 01  01 01 00  01 02
                09 08 00 01 07  8301                            # INSTALL_REPLY
                09 09 00 01 07                                  # TAKE_OVER
                09 0A 00 01 07                                  # OUTDATED
                """));
  }

  private static String hex(String text) {
    return text.replaceAll("#.*|\\s", "");
  }

  private static void refused(String hex, String why) {
    assertThatThrownBy(() -> BatchCodec.decode(HexFormat.of().parseHex(hex(hex))))
        .isInstanceOf(BatchException.class)
        .hasMessageContaining(why);
  }

  @Test
  void anotherFormatIsRefusedAndNamed() {
    byte[] bytes = BatchCodec.encode(of());
    bytes[0] = (byte) 200;
    assertThatThrownBy(() -> BatchCodec.decode(bytes))
        .isInstanceOf(BatchException.class)
        .hasMessageContaining("format 200")
        .hasMessageContaining("format 1.");
  }

  @Test
  void whatIsCutShortOrTooLongIsRefused() {
    Batches batches = new Batches(new SplittableRandom(2));
    for (int i = 0; i < 100; i++) {
      byte[] bytes = BatchCodec.encode(batches.next());
      for (int length = 0; length < bytes.length; length++) {
        byte[] part = Arrays.copyOf(bytes, length);
        assertThatThrownBy(() -> BatchCodec.decode(part)).isInstanceOf(BatchException.class);
      }
      byte[] more = Arrays.copyOf(bytes, bytes.length + 1);
      assertThatThrownBy(() -> BatchCodec.decode(more))
          .isInstanceOf(BatchException.class)
          .hasMessageContaining("1 bytes are too many");
    }
  }

  @Test
  void whatNoBatchSaysIsRefused() {
    String tables = "01 02 01 61 01 62 02 00 01 01 02 "; // nodes a, b; peers a.1, b.2
    String none = "00 00 01 02 00"; // from a to b, session 2, no messages
    String one = "00 00 01 02 01 09 "; // a message of group 9, whose kind follows
    assertThat(BatchCodec.decode(HexFormat.of().parseHex(hex(tables + none)))).isEqualTo(of());

    refused("", "cut short");
    refused("01 80", "cut short");
    refused("01 FF FF FF FF 07 01 61", "no room for 2147483647 nodes");
    refused("01 01 05 61 62", "cut short");
    refused("01 01 01 C3 00 00", "not UTF-8");
    refused("01 01 02 C0 80 00", "not UTF-8");
    refused("01 00 FF FF FF FF FF FF FF FF 7F", "no room for 9223372036854775807 peers");
    refused("01 01 01 61 01 01 00", "no node 1 of 1");
    refused("01 01 01 61 01 80 00 00", "longer form");
    refused("01 01 01 61 01 00 FF FF FF FF FF FF FF FF FF 01", "more than 63 bits");
    refused(tables + "08 00 01 02 00", "no flags 8");
    refused(tables + "02 00 01 02 00", "no flags 2");
    refused(tables + "80 00 01 02 00", "no flags 128");
    refused(tables + "00 00 02 02 00", "no node 2 of 2");
    refused(tables + "00 00 01 02 64 00 00 00 00 00", "no room for 100 messages");
    refused(tables + "03 00 01 02 03 04 02 09 00 01 07", "no room for 2 groups");
    refused(tables + "04 00 01 02 01 02 03 02 09", "no room for 2 groups");
    refused(tables + one + "00 00 01 07", "no kind of message 0");
    refused(tables + one + "0B 00 01 07", "no kind of message 11");
    refused(tables + one + "FF 00 01 07", "no kind of message -1");
    refused(tables + one + "0A 02 01 07", "no peer 2 of 2");
    refused(tables + one + "0A 00 01 07 00", "1 bytes are too many");
    refused(tables + one + "02 00 01 07 00 01", "no ballot 0");
    refused(tables + one + "02 00 01 07 04 01", "no ballot 4");
    refused(tables + one + "02 00 01 07 01 02", "neither yes nor no");
  }

  @Test
  void entriesThatNoLogHasAreRefused() {
    String append = "01 02 01 61 01 62 02 00 01 01 02 00 00 01 02 01 09 03 00 01 07 ";
    String most = "FF FF FF FF FF FF FF FF 7F ";
    String behind = "0A 05 00 00 00 00 "; // behind 10@5, commit, round, keep
    BatchCodec.decode(HexFormat.of().parseHex(hex(append + behind + "01 03 00")));

    refused(append + behind + "02 03 00 03", "no room for 2 entries");
    refused(append + behind + "01 00 00", "no kind of entry 0");
    refused(append + behind + "01 04 00", "no kind of entry 4");
    refused(append + behind + "01 03" + most, "a term rises from 5");
    refused(append + behind + "01 01 00 02 AA", "no room for 2 bytes of data");
    refused(append + most + "05 00 00 00 00 01 03 00", "behind 9223372036854775807");
    refused(append + behind + "01 02 00 00 01 03 00 00 00", "no role 3");
    refused(append + behind + "01 02 00 00 02 01 00", "no room for 2 members");
    refused(append + behind + "01 02 00 00 02 01 01 01 00 00 00", "not in order");
    refused(append + behind + "01 02 00 00 00 00 02 01 00", "not in order");
    refused(append + behind + "01 02 00 00 00 00 03 01 00", "no room for 3 learners");
  }

  /** As many as there can be of what takes few bytes here and many in memory. */
  @Test
  void memoryIsBoundedByLength() {
    String tables = "01 01 01 61 01 00 01 "; // node a, peer a.1
    String append = "00 00 00 02 01 09 03 00 00 07  0A 05 00 00 00 00 ";
    bounded(tables + "00 00 00 02", "09 0A 00 00 07"); // messages
    bounded(tables + "00 00 00 02", "09 07 00 00 07  00 00 00  01 00 00 00"); // snapshots
    bounded(tables + "03 00 00 02 03 04", "09 00 00 07"); // groups that are led
    bounded(tables + "04 00 00 02 01 02 03", "09"); // groups that do not follow
    bounded(tables + append, "03 00"); // entries
    bounded(tables + append, "02 00 01 00 00 00"); // configurations
    bounded(tables + append + "01 02 00 01", "01 00"); // members
    bounded(tables + append + "01 02 00 01 00 00", "00"); // learners
    bounded("01", "00"); // nodes
    bounded("01 01 01 61", "00 01"); // peers
  }

  private static void bounded(String before, String each) {
    byte[] head = HexFormat.of().parseHex(hex(before));
    byte[] one = HexFormat.of().parseHex(hex(each));
    byte[] count = {(byte) 0xFF, (byte) 0xFF, 3};
    int most = 0xFFFF;
    byte[] bytes = Arrays.copyOf(head, head.length + count.length + most * one.length);
    System.arraycopy(count, 0, bytes, head.length, count.length);
    for (int at = head.length + count.length; at < bytes.length; at += one.length) {
      System.arraycopy(one, 0, bytes, at, one.length);
    }
    System.out.printf("%.0f bytes a byte: %s%n", allocatedFor(bytes), each);
  }

  // ---- What is not sent ----

  @Test
  void whatNoGroupSaysIsNotSent() {
    notSent(new Message.InstallReply(A, B, 7, -1), "not -1");
    notSent(new Message.TakeOver(A, new Peer("b", -2), 7), "not -2");
    notSent(new Message.TakeOver(A, new Peer("x".repeat(256), 1), 7), "at most 255 bytes");
    notSent(new Message.TakeOver(A, new Peer("\uD800", 1), 7), "UTF-8");
    notSent(appendOf(new Entry(12, 5, null, null)), "12@5 first does not follow 10@5");
    notSent(appendOf(new Entry(11, 4, null, null)), "11@4 first does not follow 10@5");
    notSent(appendOf(new Entry(11, 5, new byte[0], JOINT)), "data and a configuration");
    assertThatThrownBy(() -> BatchCodec.encode(of(new Message.TakeOver(A, null, 7))))
        .isInstanceOf(NullPointerException.class);
  }

  private static Message appendOf(Entry entry) {
    return new Message.Append(A, B, 7, 10, 5, List.of(entry), 0, 0, KEEP);
  }

  private static void notSent(Message message, String why) {
    assertThatThrownBy(() -> BatchCodec.encode(of(message)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(why);
  }

  // ---- Anything ----

  @Test
  @Timeout(value = 2, unit = TimeUnit.HOURS)
  void whateverComesIsABatchOrRefused() {
    SplittableRandom random = new SplittableRandom(FUZZ_SEED);
    Batches batches = new Batches(random.split());
    byte[][] corpus = new byte[256][];
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(FUZZ_SECONDS);
    long inputs = 0;
    long taken = 0;
    double perByte = 0;
    while (FUZZ_SECONDS > 0 ? System.nanoTime() < until : inputs < FUZZ_INPUTS) {
      if (inputs % 10_000 == 0) {
        Arrays.setAll(corpus, i -> BatchCodec.encode(batches.next()));
      }
      byte[] input = spoiled(corpus, random);
      try {
        taken += isTaken(input) ? 1 : 0;
        perByte = Math.max(perByte, allocatedFor(input));
      } catch (RuntimeException | AssertionError e) {
        String hex = HexFormat.of().formatHex(input);
        throw new AssertionError("seed " + FUZZ_SEED + ", input " + inputs + ": " + hex, e);
      }
      inputs++;
    }
    System.out.printf("%d inputs, %d of them batches, %.0f bytes a byte%n", inputs, taken, perByte);
    assertThat(taken).isGreaterThan(inputs / 100).isLessThan(inputs / 2);
  }

  /** What is taken is a batch: it can be sent, and arrives. */
  private static boolean isTaken(byte[] input) {
    Batch batch;
    try {
      batch = BatchCodec.decode(input);
    } catch (BatchException e) {
      return false;
    }
    Wire.cross(batch);
    return true;
  }

  /** How many bytes decoding allocates for each byte, beside a constant. */
  private static double allocatedFor(byte[] input) {
    long before = allocated();
    try {
      BatchCodec.decode(input);
    } catch (BatchException e) {
      // it allocates too
    }
    double perByte = (double) (allocated() - before - ALLOCATED_MAX) / input.length;
    assertThat(perByte).isLessThan(ALLOCATED_PER_BYTE_MAX);
    return perByte;
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }

  private static byte[] spoiled(byte[][] corpus, SplittableRandom random) {
    byte[] bytes = corpus[random.nextInt(corpus.length)];
    for (int i = random.nextInt(3); i >= 0; i--) {
      int at = random.nextInt(bytes.length);
      int to = at + random.nextInt(bytes.length - at + 1);
      bytes =
          switch (random.nextInt(8)) {
            case 0, 1, 2 -> put(bytes, at, bytes[at] ^ 1 << random.nextInt(8));
            case 3 -> put(bytes, at, random.nextInt(256));
            case 4 -> replaced(bytes, at, at + 1, largest(random));
            case 5 -> replaced(bytes, at, random.nextBoolean() ? to : at + 1, new byte[0]);
            case 6 -> replaced(bytes, at, at, Arrays.copyOfRange(bytes, at, to));
            default -> {
              byte[] other = corpus[random.nextInt(corpus.length)];
              int from = random.nextInt(other.length);
              yield replaced(bytes, at, to, Arrays.copyOfRange(other, from, other.length));
            }
          };
      if (bytes.length == 0) {
        return new byte[1];
      }
    }
    return bytes;
  }

  private static byte[] put(byte[] bytes, int at, int value) {
    byte[] changed = bytes.clone();
    changed[at] = (byte) value;
    return changed;
  }

  /** A number that is large, or too large. */
  private static byte[] largest(SplittableRandom random) {
    byte[] number = new byte[1 + random.nextInt(10)];
    Arrays.fill(number, (byte) 0xFF);
    number[number.length - 1] = 0x7F;
    return number;
  }

  private static byte[] replaced(byte[] bytes, int from, int to, byte[] by) {
    byte[] changed = Arrays.copyOf(bytes, from + by.length + bytes.length - to);
    System.arraycopy(by, 0, changed, from, by.length);
    System.arraycopy(bytes, to, changed, from + by.length, bytes.length - to);
    return changed;
  }
}
