// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.state.Applied;
import dev.cairn.state.StateException;
import dev.cairn.state.ValueRecord;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.Function;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** Bytes that outlive a process: as they are today, and refused when they are not. */
class CodecTest {
  private static final Applied ROW =
      new Applied(
          1_000_000, 7, 2_000_000, 300, 1_700_000_000_000L, 999_000, utf8("who belongs to it"));
  private static final PartitionIdentity IDENTITY =
      new PartitionIdentity("0123456789abcdef0123456789abcdef01234567", 3, 2);

  @Test
  void valueRecordBytesAreTodays() throws IOException {
    ValueRecord plain = new ValueRecord(258, ValueRecord.NEVER, utf8("value"));
    ValueRecord expiring = new ValueRecord(259, 1_700_000_000_000L, utf8("gone soon"));
    assertThat(plain.encode()).isEqualTo(golden("value-record"));
    assertThat(ValueRecord.decode(golden("value-record"))).isEqualTo(plain);
    assertThat(expiring.encode()).isEqualTo(golden("value-record-expiring"));
    assertThat(ValueRecord.decode(golden("value-record-expiring"))).isEqualTo(expiring);
  }

  @Test
  void appliedRowBytesAreTodays() throws IOException {
    assertThat(ROW.encode()).isEqualTo(golden("applied-row"));
    assertThat(Applied.decode(golden("applied-row"))).isEqualTo(ROW);
  }

  @Test
  void stateFileBytesAreTodays() throws IOException {
    StateFile fresh = new StateFile(1, IDENTITY, null);
    StateFile later = new StateFile(4, IDENTITY, new byte[] {1, 2, 3});
    assertThat(fresh.encode()).isEqualTo(golden("state-file"));
    assertThat(decodeState(golden("state-file"))).isEqualTo(fresh);
    assertThat(later.encode()).isEqualTo(golden("state-file-with-meta"));
    assertThat(decodeState(golden("state-file-with-meta"))).isEqualTo(later);
  }

  @Test
  void databaseIdentityBytesAreTodays() throws IOException {
    DatabaseIdentity identity = new DatabaseIdentity(IDENTITY);
    assertThat(identity.encode()).isEqualTo(golden("database-identity"));
    assertThat(decodeIdentity(golden("database-identity"))).isEqualTo(identity);
  }

  @Test
  void cutBytesAreRefusedAtEveryBoundary() throws IOException {
    refusedWhenCut(golden("applied-row"), Applied::decode);
    refusedWhenCut(golden("state-file"), CodecTest::decodeState);
    refusedWhenCut(golden("state-file-with-meta"), CodecTest::decodeState);
    refusedWhenCut(Arrays.copyOf(golden("value-record"), 9), ValueRecord::decode);
    refusedWhenCut(Arrays.copyOf(golden("value-record-expiring"), 17), ValueRecord::decode);
  }

  @Test
  void aFlippedBitInTheStateFileIsRefused() throws IOException {
    byte[] whole = golden("state-file-with-meta");
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThatThrownBy(() -> decodeState(flipped))
          .as("bit %d", bit)
          .isInstanceOf(StorageException.class);
    }
  }

  @Test
  void anUnknownFormatIsRefusedNamingBoth() throws IOException {
    byte[] record = golden("value-record");
    record[0] = 4;
    assertThatThrownBy(() -> ValueRecord.decode(record)).hasMessageContaining("0x04", "0x01");
    byte[] row = golden("applied-row");
    row[0] = 2;
    assertThatThrownBy(() -> Applied.decode(row)).hasMessageContaining("format 2", "knows 1");
    byte[] state = golden("state-file");
    state[8] = 9;
    assertThatThrownBy(() -> decodeState(state)).hasMessageContaining("format 9", "knows 2");
    byte[] identity = golden("database-identity");
    identity[0] = 3;
    assertThatThrownBy(() -> decodeIdentity(identity)).hasMessageContaining("format 3", "knows 2");
  }

  @Test
  void followingBytesAreRefused() throws IOException {
    byte[] row = golden("applied-row");
    assertThatThrownBy(() -> Applied.decode(Arrays.copyOf(row, row.length + 1)))
        .isInstanceOf(StateException.class);
  }

  @Property(tries = 200)
  void everyValueRecordComesBack(
      @ForAll long version,
      @ForAll @LongRange(min = -1) long expiresAtMillis,
      @ForAll byte[] value) {
    ValueRecord record = new ValueRecord(version, expiresAtMillis, value);
    assertThat(ValueRecord.decode(record.encode())).isEqualTo(record);
  }

  @Test
  void aValueIsNeverPrinted() {
    assertThat(new ValueRecord(1, ValueRecord.NEVER, utf8("secret")).toString())
        .doesNotContain("secret");
  }

  @Test
  void theFormerFormatIsRefusedWithWhatHelps() throws IOException {
    String helps =
        " was written by an earlier version of Cairn in a form that this one does not read: start"
            + " that version, write the data out with './cairn export', and bring it into a new"
            + " data folder with './cairn import'";
    byte[] state = golden("state-file-1");
    assertThatThrownBy(() -> decodeState(state))
        .isInstanceOf(StorageException.class)
        .hasMessage("state" + helps);
    byte[] identity = golden("database-identity-1");
    assertThatThrownBy(() -> decodeIdentity(identity))
        .isInstanceOf(StorageException.class)
        .hasMessage("the database generation-1" + helps);
  }

  private static DatabaseIdentity decodeIdentity(byte[] bytes) {
    return DatabaseIdentity.decode(bytes, Path.of("generation-1"));
  }

  private static StateFile decodeState(byte[] bytes) {
    return StateFile.decode(bytes, Path.of("state"));
  }

  private static void refusedWhenCut(byte[] whole, Function<byte[], Object> decoder) {
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> decoder.apply(cut))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOfAny(StorageException.class, StateException.class);
    }
  }

  private static byte[] golden(String name) throws IOException {
    try (InputStream in = CodecTest.class.getResourceAsStream(name + ".hex")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
