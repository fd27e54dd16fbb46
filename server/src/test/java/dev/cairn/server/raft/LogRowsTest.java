// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.alipay.sofa.jraft.entity.LogEntry;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Today's bytes. Who changes them changes the version as well. */
class LogRowsTest {
  private static final byte[] KEY = LogRows.key(LogRows.ENTRY, 7, 258);
  private static final LogEntry ENTRY = LogFixture.data(258, 3, "hello".getBytes(UTF_8));

  @Test
  void keys() {
    assertThat(hex(LogRows.FORMAT_KEY)).isEqualTo("56");
    assertThat(hex(LogRows.directoryKey("ab"))).isEqualTo("476162");
    assertThat(hex(LogRows.key(LogRows.FIRST, 7))).isEqualTo("4600000007");
    assertThat(hex(LogRows.key(LogRows.META, 7))).isEqualTo("4d00000007");
    assertThat(hex(LogRows.key(LogRows.INCARNATION, 7))).isEqualTo("5200000007");
    assertThat(hex(KEY)).isEqualTo("4c000000070000000000000102");
    assertThat(hex(LogRows.key(LogRows.CONFIGURATION, 7, 258)))
        .isEqualTo("43000000070000000000000102");
  }

  @Test
  void rows() {
    byte[] key = LogRows.key(LogRows.FIRST, 7);
    assertThat(hex(LogRows.number(key, 258L))).isEqualTo("01bb079c600000000000000102");
    byte[] meta = LogRows.key(LogRows.META, 7);
    LogRows.Vote vote = new LogRows.Vote(3, "127.0.0.1:1:2:90");
    assertThat(hex(LogRows.vote(meta, vote)))
        .isEqualTo("01f86db0bf0000000000000003" + hex("127.0.0.1:1:2:90".getBytes(UTF_8)));
    assertThat(LogRows.readVote(meta, LogRows.vote(meta, vote))).isEqualTo(vote);
    assertThat(hex(LogRows.entry(KEY, ENTRY)))
        .isEqualTo("01143f4aabbbd20100000008021003188202320568656c6c6f");
    assertThat(LogRows.readEntry(KEY, LogRows.entry(KEY, ENTRY))).isEqualTo(ENTRY);
  }

  @Test
  void theMark() {
    assertThat(DurableMark.text(1, 4711))
        .isEqualTo("cairn-log-mark 1\nlog-format 1\nsequence 4711\ncrc32c d66a918a\n");
  }

  @Test
  void aRowThatIsCutOrFlippedAnywhereIsRefused() {
    byte[] row = LogRows.entry(KEY, ENTRY);
    for (int length = 0; length < row.length; length++) {
      byte[] cut = Arrays.copyOf(row, length);
      assertThatThrownBy(() -> LogRows.readEntry(KEY, cut)).isInstanceOf(LogDamagedException.class);
    }
    for (int bit = 0; bit < row.length * 8; bit++) {
      byte[] flipped = row.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThatThrownBy(() -> LogRows.readEntry(KEY, flipped))
          .isInstanceOf(LogDamagedException.class);
    }
    assertThatThrownBy(() -> LogRows.readEntry(LogRows.key(LogRows.ENTRY, 8, 258), row))
        .hasMessageContaining("checksum");
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
