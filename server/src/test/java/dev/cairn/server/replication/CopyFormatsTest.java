// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What crosses between nodes for a copy: as docs/reference/formats.md has it, else refused. */
class CopyFormatsTest {
  private static final byte[] META = {1, 2, 3};
  private static final long NUMBER = 0x0102030405060708L;

  @Test
  void manifestBytesAreTodays() throws IOException {
    Map<String, Long> files = new LinkedHashMap<>();
    files.put("000012.sst", 5_000_000_000L);
    files.put("CURRENT", 16L);
    files.put("empty.log", 0L);
    assertThat(new CopyManifest(META, files).encode()).isEqualTo(golden());
    CopyManifest read = decode(golden());
    assertThat(read.meta()).isEqualTo(META);
    assertThat(read.files()).containsExactlyEntriesOf(files);
  }

  @Test
  void aCutOrFlippedManifestIsRefused() throws IOException {
    byte[] whole = golden();
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> decode(cut))
          .as("%d bytes", length)
          .isInstanceOf(IllegalArgumentException.class);
    }
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThatThrownBy(() -> decode(flipped))
          .as("bit %d", bit)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  /** The checksum is right here, so that what stands behind it has to hold by itself. */
  @Test
  void aCutOrFlippedManifestWithItsChecksumHarmsNobody() throws IOException {
    byte[] whole = golden();
    for (int length = 13; length < whole.length; length++) {
      byte[] cut = sealed(Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> decode(cut))
          .as("%d bytes", length)
          .isInstanceOf(IllegalArgumentException.class);
    }
    for (int bit = 0; bit < (whole.length - 4) * 8; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      byte[] resealed = sealed(flipped);
      try {
        assertThat(decode(resealed).encode()).as("bit %d", bit).isEqualTo(resealed);
      } catch (IllegalArgumentException refused) {
        assertThat(refused).hasMessageMatching("(?s).*(cop|bytes).*");
      }
    }
    byte[] longer = sealed(Arrays.copyOf(whole, whole.length + 1));
    assertThatThrownBy(() -> decode(longer)).hasMessageContaining("longer than its contents");
  }

  @Test
  void anUnknownFormatIsRefusedNamingBoth() throws IOException {
    byte[] manifest = golden();
    manifest[8] = 2;
    assertThatThrownBy(() -> decode(manifest))
        .hasMessageContaining("format 2")
        .hasMessageContaining("knows 1");
    byte[] question = new CopyMessages.Close(NUMBER).encode();
    question[0] = 2;
    assertThatThrownBy(() -> CopyMessages.Close.decode(question))
        .hasMessageContaining("format 2")
        .hasMessageContaining("knows 1");
    assertThat(CopyMessages.Reply.decode(new byte[] {2, 1}))
        .isInstanceOfSatisfying(
            CopyMessages.Reply.Refused.class,
            refused -> assertThat(refused.why()).contains("format 2", "knows 1"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"..", ".", "", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden", "a b", "é"})
  void aNameThatIsNoPlainFileIsRefused(String name) {
    assertThatThrownBy(() -> new CopyManifest(META, Map.of(name, 1L)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aNameHas255Characters() {
    assertThat(decode(new CopyManifest(META, Map.of("a".repeat(255), 1L)).encode()).files())
        .containsExactly(Map.entry("a".repeat(255), 1L));
    assertThatThrownBy(() -> new CopyManifest(META, Map.of("a".repeat(256), 1L)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aManifestHasBounds() {
    byte[] meta = new byte[CopyManifest.META_BYTES_MAX];
    assertThat(decode(new CopyManifest(meta, Map.of("a", 0L)).encode()).meta()).isEqualTo(meta);
    assertThatThrownBy(() -> new CopyManifest(new byte[meta.length + 1], Map.of("a", 0L)))
        .isInstanceOf(IllegalArgumentException.class);
    Map<String, Long> files = new LinkedHashMap<>();
    for (int i = 0; i < CopyManifest.FILES_MAX; i++) {
      files.put("f" + i, Long.MAX_VALUE);
    }
    assertThat(decode(new CopyManifest(META, files).encode()).files()).isEqualTo(files);
    files.put("one-more", 0L);
    assertThatThrownBy(() -> new CopyManifest(META, files))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new CopyManifest(META, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 files");
    assertThatThrownBy(() -> new CopyManifest(META, Map.of("a", -1L)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> decode(new byte[CopyManifest.BYTES_MAX + 1]))
        .hasMessageContaining("too long");
  }

  @Test
  void aFileStandsInAManifestOnce() {
    byte[] twice = new CopyManifest(META, Map.of("aa", 1L, "ab", 1L)).encode();
    String text = new String(twice, StandardCharsets.ISO_8859_1).replace("ab", "aa");
    byte[] evil = sealed(text.getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> decode(evil)).hasMessageContaining("twice");
  }

  @Test
  void questionBytesAreTodays() {
    CopyMessages.Open open = new CopyMessages.Open(NUMBER, 42);
    assertThat(hex(open.encode())).isEqualTo("01" + "0102030405060708" + "000000000000002a");
    assertThat(CopyMessages.Open.decode(open.encode())).isEqualTo(open);
    CopyMessages.Piece piece = new CopyMessages.Piece(NUMBER, "CURRENT", 1L << 33, 1 << 20);
    assertThat(hex(piece.encode()))
        .isEqualTo("01" + "0102030405060708" + "0000000200000000" + "00100000" + "43555252454e54");
    assertThat(CopyMessages.Piece.decode(piece.encode())).isEqualTo(piece);
    CopyMessages.Close close = new CopyMessages.Close(NUMBER);
    assertThat(hex(close.encode())).isEqualTo("01" + "0102030405060708");
    assertThat(CopyMessages.Close.decode(close.encode())).isEqualTo(close);
  }

  @Test
  void aQuestionOfAnotherLengthIsRefused() {
    byte[] open = new CopyMessages.Open(NUMBER, 42).encode();
    byte[] close = new CopyMessages.Close(NUMBER).encode();
    byte[] piece = new CopyMessages.Piece(NUMBER, "", 0, 1).encode();
    for (int length = 0; length <= open.length + 1; length++) {
      byte[] other = Arrays.copyOf(open, length);
      if (length != open.length) {
        refused(() -> CopyMessages.Open.decode(other));
      }
      if (length != close.length) {
        refused(() -> CopyMessages.Close.decode(other));
      }
    }
    for (int length = 0; length < piece.length; length++) {
      byte[] cut = Arrays.copyOf(piece, length);
      refused(() -> CopyMessages.Piece.decode(cut));
    }
  }

  @Test
  void aPieceHasBounds() {
    assertThatCode(() -> new CopyMessages.Piece(1, "a".repeat(255), Long.MAX_VALUE, 1))
        .doesNotThrowAnyException();
    assertThatCode(() -> new CopyMessages.Piece(1, "a", 0, CopyMessages.PIECE_BYTES_MAX))
        .doesNotThrowAnyException();
    refused(() -> new CopyMessages.Piece(1, "a", 0, CopyMessages.PIECE_BYTES_MAX + 1));
    refused(() -> new CopyMessages.Piece(1, "a", 0, 0));
    refused(() -> new CopyMessages.Piece(1, "a", -1, 1));
    refused(() -> new CopyMessages.Piece(1, "a".repeat(256), 0, 1));
    byte[] endless = new byte[1 << 20];
    byte[] piece = new CopyMessages.Piece(NUMBER, "", 0, 1).encode();
    System.arraycopy(piece, 0, endless, 0, piece.length);
    refused(() -> CopyMessages.Piece.decode(endless));
  }

  @Test
  void answersComeBack() {
    assertThat(hex(CopyMessages.done(new byte[] {7}))).isEqualTo("010107");
    assertThat(hex(CopyMessages.later("é"))).isEqualTo("0102c3a9");
    assertThat(hex(CopyMessages.refused("no"))).isEqualTo("01036e6f");
    assertThat(CopyMessages.Reply.decode(CopyMessages.done(new byte[] {7})))
        .isInstanceOfSatisfying(
            CopyMessages.Reply.Done.class,
            done -> assertThat(done.bytes()).isEqualTo(ByteBuffer.wrap(new byte[] {7})));
    assertThat(CopyMessages.Reply.decode(CopyMessages.later("é")))
        .isEqualTo(new CopyMessages.Reply.Later("é"));
    assertThat(CopyMessages.Reply.decode(CopyMessages.refused("no")))
        .isEqualTo(new CopyMessages.Reply.Refused("no"));
    assertThat(CopyMessages.refused("a".repeat(2_000))).hasSize(1_002);
  }

  @Test
  void anyBytesAreAnAnswerOrARefusal() {
    Random random = new Random(1);
    for (int i = 0; i < 10_000; i++) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      if (bytes.length > 0 && random.nextBoolean()) {
        bytes[0] = 1;
      }
      assertThat(CopyMessages.Reply.decode(bytes)).isNotNull();
    }
  }

  private static void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
  }

  private static CopyManifest decode(byte[] bytes) {
    return CopyManifest.decode(ByteBuffer.wrap(bytes));
  }

  /** With the checksum that belongs to it. */
  static byte[] sealed(byte[] manifest) {
    CRC32C crc = new CRC32C();
    crc.update(manifest, 0, manifest.length - 4);
    ByteBuffer.wrap(manifest).putInt(manifest.length - 4, (int) crc.getValue());
    return manifest;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static byte[] golden() throws IOException {
    try (InputStream in = CopyFormatsTest.class.getResourceAsStream("copy-manifest.hex")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
    }
  }
}
