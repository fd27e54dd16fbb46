// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.codec.v2.V2Decoder;
import com.alipay.sofa.jraft.entity.codec.v2.V2Encoder;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The bytes are JRaft's, and so is what is read from them. */
class EntryBytesTest {
  private static final int[] LENGTHS = {0, 1, 5, 127, 128, 1_000, 16_383, 16_384, 100_000};
  private static final long[] NUMBERS = {0, 1, 127, 128, 1L << 32, Long.MAX_VALUE};

  @Test
  void whatIsWrittenAndReadIsWhatTheEngineWritesAndReads() {
    for (LogEntry entry : entries()) {
      byte[] engines = V2Encoder.INSTANCE.encode(entry);
      for (int room : new int[] {0, 5}) {
        byte[] bytes = EntryBytes.encode(entry, room);
        assertThat(Arrays.copyOfRange(bytes, room, bytes.length)).isEqualTo(engines);
        assertThat(EntryBytes.decode(bytes, room)).isEqualTo(V2Decoder.INSTANCE.decode(engines));
      }
    }
  }

  @Test
  void anEntryThatIsWrittenIsAsItWas() {
    for (LogEntry entry : entries()) {
      ByteBuffer before = entry.getData() == null ? null : entry.getData().duplicate();
      EntryBytes.encode(entry, 5);
      assertThat(entry.getData()).isEqualTo(before);
    }
  }

  /** Data that is consumed through one entry is whole in the next that is read. */
  @Test
  void dataIsReadByEachAnew() {
    byte[] bytes = EntryBytes.encode(LogFixture.data(3), 5);
    LogEntry first = EntryBytes.decode(bytes, 5);
    first.getData().get(new byte[first.getData().remaining()]);
    assertThat(EntryBytes.decode(bytes, 5)).isEqualTo(LogFixture.data(3));
  }

  @Test
  void whatIsCutIsNoEntry() {
    for (LogEntry entry : List.of(LogFixture.data(3), LogFixture.configuration(4, 1, "a:1"))) {
      byte[] bytes = EntryBytes.encode(entry, 5);
      for (int length = 0; length < bytes.length; length++) {
        assertThat(EntryBytes.decode(Arrays.copyOf(bytes, length), 5)).isNull();
      }
    }
    byte[] engines = EntryBytes.encode(LogFixture.data(3), 0);
    for (int i = 0; i < 3; i++) {
      byte[] other = engines.clone();
      other[i]++;
      assertThat(EntryBytes.decode(other, 0)).isNull();
    }
  }

  private static List<LogEntry> entries() {
    List<LogEntry> entries = new ArrayList<>();
    Random random = new Random(4);
    for (long number : NUMBERS) {
      for (int length : LENGTHS) {
        byte[] data = new byte[length + 7];
        random.nextBytes(data);
        entries.add(
            entry(EntryType.ENTRY_TYPE_DATA, number, random, ByteBuffer.wrap(data, 3, length)));
        ByteBuffer direct = ByteBuffer.allocateDirect(length).put(data, 0, length).flip();
        entries.add(entry(EntryType.ENTRY_TYPE_DATA, number, random, direct.asReadOnlyBuffer()));
      }
      entries.add(entry(EntryType.ENTRY_TYPE_NO_OP, number, random, LogEntry.EMPTY_DATA));
      entries.add(entry(EntryType.ENTRY_TYPE_NO_OP, number, random, null));
      LogEntry summed =
          entry(EntryType.ENTRY_TYPE_DATA, number, random, ByteBuffer.wrap(new byte[9]));
      summed.setChecksum(random.nextLong());
      entries.add(summed);
    }
    entries.add(LogFixture.configuration(258, 3, "127.0.0.1:1", "127.0.0.1:2"));
    LogEntry all = LogFixture.configuration(259, 3, "127.0.0.1:1");
    all.setOldPeers(List.of(PeerId.parsePeer("127.0.0.1:2"), PeerId.parsePeer("127.0.0.1:3")));
    all.setLearners(List.of(PeerId.parsePeer("127.0.0.1:4")));
    all.setOldLearners(List.of(PeerId.parsePeer("127.0.0.1:5")));
    entries.add(all);
    for (int lists = 1; lists < 8; lists++) { // one that has old voters and no new ones, and so on
      LogEntry some = entry(EntryType.ENTRY_TYPE_CONFIGURATION, 7, random, LogEntry.EMPTY_DATA);
      some.setOldPeers((lists & 1) == 0 ? null : List.of(PeerId.parsePeer("127.0.0.1:2")));
      some.setLearners((lists & 2) == 0 ? null : List.of(PeerId.parsePeer("127.0.0.1:4")));
      some.setOldLearners((lists & 4) == 0 ? null : List.of(PeerId.parsePeer("127.0.0.1:5")));
      entries.add(some);
    }
    return entries;
  }

  private static LogEntry entry(EntryType type, long number, Random random, ByteBuffer data) {
    LogEntry entry = new LogEntry(type);
    entry.setId(new LogId(number, random.nextInt(1 << 30)));
    entry.setData(data);
    return entry;
  }
}
