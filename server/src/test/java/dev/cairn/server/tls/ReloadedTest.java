// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReloadedTest {
  @TempDir Path folder;

  @Test
  void whatChangedIsReadAnewAndWhatCannotBeUsedIsNot() throws Exception {
    TestCertificates ca = new TestCertificates(folder, "ca");
    IdentityFiles files = ca.node("first");
    Reloaded<Identity> reloaded =
        new Reloaded<>("the certificate", files.all(), () -> Identity.read(files));
    Identity first = reloaded.current();
    reloaded.look();
    assertThat(reloaded.current()).isSameAs(first);

    IdentityFiles second = ca.node("second");
    Files.copy(
        second.certificate(),
        files.certificate(),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    reloaded.look();
    assertThat(reloaded.current()).isSameAs(first);
    assertThat(reloaded.isRefused()).as("the key may be on its way").isFalse();
    reloaded.look();
    assertThat(reloaded.isRefused()).isTrue();

    FileTime before = Files.getLastModifiedTime(files.key().orElseThrow());
    TestCertificates.writePrivate(
        files.key().orElseThrow(), Files.readString(second.key().orElseThrow()));
    Files.setLastModifiedTime(files.key().orElseThrow(), before);
    reloaded.look();
    assertThat(reloaded.current()).isEqualTo(Identity.read(second));
    assertThat(reloaded.isRefused()).isFalse();

    Files.delete(files.certificate());
    reloaded.look();
    reloaded.look();
    assertThat(reloaded.current()).isEqualTo(Identity.read(second));
    assertThat(reloaded.isRefused()).isTrue();
  }

  @Test
  void aFileThatIsPutBackIsNoChange() throws Exception {
    Path file = Files.writeString(folder.resolve("f"), "a");
    Reloaded<String> reloaded = new Reloaded<>("a text", List.of(file), () -> read(file));
    Files.writeString(file, "");
    reloaded.look();
    reloaded.look();
    assertThat(reloaded.isRefused()).isTrue();
    Files.writeString(file, "a");
    reloaded.look();
    assertThat(reloaded.isRefused()).isFalse();
    assertThat(reloaded.current()).isEqualTo("a");
  }

  private static String read(Path file) throws TlsException {
    return new String(SmallFile.read(file), java.nio.charset.StandardCharsets.US_ASCII);
  }
}
