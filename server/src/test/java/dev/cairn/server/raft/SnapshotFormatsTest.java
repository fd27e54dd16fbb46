// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What crosses between nodes for a snapshot: as it is today, and refused when it is not. */
class SnapshotFormatsTest {
  private static final SnapshotMeta META =
      SnapshotMeta.newBuilder()
          .setLastIncludedIndex(1000)
          .setLastIncludedTerm(7)
          .addPeers("127.0.0.1:15000:1")
          .addPeers("127.0.0.1:15001:1")
          .addLearners("127.0.0.1:15003:2")
          .build();

  @Test
  void manifestBytesAreTodays() throws IOException {
    Map<String, Long> files = new LinkedHashMap<>();
    files.put("000012.sst", 5_000_000_000L);
    files.put("CURRENT", 16L);
    SnapshotManifest whole = new SnapshotManifest(true, META, files);
    assertThat(whole.encode()).isEqualTo(golden("snapshot-manifest"));
    assertThat(SnapshotManifest.decode(golden("snapshot-manifest"))).isEqualTo(whole);
    SnapshotManifest witness = new SnapshotManifest(false, META, Map.of());
    assertThat(witness.encode()).isEqualTo(golden("snapshot-manifest-without-data"));
    assertThat(SnapshotManifest.decode(golden("snapshot-manifest-without-data")))
        .isEqualTo(witness);
  }

  @Test
  void aCutOrFlippedManifestIsRefused() throws IOException {
    byte[] whole = golden("snapshot-manifest");
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> SnapshotManifest.decode(cut))
          .as("%d bytes", length)
          .isInstanceOf(IllegalArgumentException.class);
    }
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThatThrownBy(() -> SnapshotManifest.decode(flipped))
          .as("bit %d", bit)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void anUnknownFormatIsRefusedNamingBoth() throws IOException {
    byte[] manifest = golden("snapshot-manifest");
    manifest[8] = 2;
    assertThatThrownBy(() -> SnapshotManifest.decode(manifest))
        .hasMessageContaining("format 2")
        .hasMessageContaining("knows 1");
    assertThatThrownBy(() -> SnapshotUri.parse("cairn-snapshot-1://anything"))
        .hasMessageContaining("version 1")
        .hasMessageContaining("knows 2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"..", ".", "", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden", "a b", "é"})
  void aNameThatIsNoPlainFileIsRefused(String name) {
    assertThatThrownBy(() -> new SnapshotManifest(true, META, Map.of(name, 1L)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aNameHas255Characters() {
    new SnapshotManifest(true, META, Map.of("a".repeat(255), 1L));
    assertThatThrownBy(() -> new SnapshotManifest(true, META, Map.of("a".repeat(256), 1L)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void addressesComeBack() {
    SnapshotUri data = new SnapshotUri("a".repeat(40), 42, true);
    assertThat(data.toString()).isEqualTo("cairn-snapshot-2://" + "a".repeat(40) + "/42/data");
    assertThat(SnapshotUri.parse(data.toString())).isEqualTo(data);
    SnapshotUri meta = new SnapshotUri("b", Long.MAX_VALUE, false);
    assertThat(SnapshotUri.parse(meta.toString())).isEqualTo(meta);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "remote://127.0.0.1:15000/42",
        "cairn-snapshot-2:///42/data",
        "cairn-snapshot-2://127.0.0.1:15000/42/data",
        "cairn-snapshot-2://a/x/data",
        "cairn-snapshot-2://a/42",
        "cairn-snapshot-2://a/9999999999999999999/data"
      })
  void aMalformedAddressIsRefused(String uri) {
    assertThatThrownBy(() -> SnapshotUri.parse(uri)).isInstanceOf(IllegalArgumentException.class);
  }

  private static byte[] golden(String name) throws IOException {
    try (InputStream in = SnapshotFormatsTest.class.getResourceAsStream(name + ".hex")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
    }
  }
}
