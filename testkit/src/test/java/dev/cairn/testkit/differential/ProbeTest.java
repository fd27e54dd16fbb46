// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How the list of probes is read; what comes of them, {@code .ci/manners} shows. */
final class ProbeTest {
  @Test
  void everyProbeHasANameOfItsOwnAndSaysSomething() {
    List<Probe> probes = Probe.all();
    assertThat(probes).hasSizeGreaterThan(150);
    assertThat(probes).extracting(Probe::name).doesNotHaveDuplicates();
    assertThat(probes).allSatisfy(probe -> assertThat(probe.request()).isNotEmpty());
  }

  @Test
  void whatIsKnownToDifferIsSaidToUsers() throws IOException {
    String docs =
        Files.readString(
            Path.of(System.getProperty("cairn.checkout"), "docs", "reference", "commands.md"));
    String oneLine = docs.replaceAll("\\s+", " ");
    assertThat(Probe.all())
        .allSatisfy(probe -> probe.known().ifPresent(why -> assertThat(oneLine).contains(why)));
  }

  @Test
  void aProbeIsReadAsItsGrammarSays() {
    List<Probe> probes =
        Probe.parse(
            """
            # a comment
            [one: two]
            ECHO "a b\\r\\n\\377" ""
            < PING\\s\\r\\n
            [other]
            mask "\\\\d+"
            sorted
            known a reason
            TIME
            """);
    assertThat(probes).extracting(Probe::name).containsExactly("one: two", "other");
    assertThat(new String(probes.get(0).request(), StandardCharsets.ISO_8859_1))
        .isEqualTo("*3\r\n$4\r\nECHO\r\n$6\r\na b\r\n\377\r\n$0\r\n\r\nPING \r\n");
    assertThat(probes.get(0).comparable("b\r\na7".getBytes(StandardCharsets.US_ASCII)))
        .isEqualTo("b\r\na7");
    assertThat(probes.get(1).known()).contains("a reason");
    assertThat(probes.get(1).comparable("b\r\na7\r\n".getBytes(StandardCharsets.US_ASCII)))
        .isEqualTo("a~\r\nb");
  }
}
