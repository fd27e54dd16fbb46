// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SecretTest {
  private static final String TEXT = "0123456789abcdef";

  @TempDir Path folder;

  private Secret secret(String text) throws Exception {
    return Secret.read(TestCertificates.writePrivate(folder.resolve("secret"), text));
  }

  private static byte[] filled(int value) {
    byte[] bytes = new byte[32];
    java.util.Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private static Secret.Ends ends(int accepting, int connecting, int nonce, int other) {
    return new Secret.Ends(filled(accepting), filled(connecting), filled(nonce), filled(other));
  }

  @Test
  void aProofHoldsForOneConnectionOneRoleAndOneSecret() throws Exception {
    Secret secret = secret(TEXT + "\n");
    Secret.Ends here = ends(1, 2, 3, 4);
    byte[] proof = secret.proof(Secret.CONNECTING, here);

    assertThat(secret(TEXT).proves(proof, Secret.CONNECTING, here)).isTrue();
    assertThat(secret.proves(proof, Secret.ACCEPTING, here)).isFalse();
    assertThat(secret.proves(proof, Secret.CONNECTING, ends(9, 2, 3, 4))).isFalse();
    assertThat(secret.proves(proof, Secret.CONNECTING, ends(1, 9, 3, 4))).isFalse();
    assertThat(secret.proves(proof, Secret.CONNECTING, ends(1, 2, 9, 4))).isFalse();
    assertThat(secret.proves(proof, Secret.CONNECTING, ends(1, 2, 3, 9))).isFalse();
    assertThat(secret.proves(new byte[0], Secret.CONNECTING, here)).isFalse();
    assertThat(secret(TEXT + "g").proves(proof, Secret.CONNECTING, here)).isFalse();
  }

  @Test
  void aSecretIsLongAndPrivate() throws Exception {
    for (String tooShort : new String[] {"x", " \n", TEXT.substring(1) + "\n"}) {
      assertThatThrownBy(() -> secret(tooShort))
          .isInstanceOf(TlsException.class)
          .hasMessageContaining("at least 16 are needed")
          .hasMessageContaining("openssl rand");
    }
    secret(TEXT);
    Files.setPosixFilePermissions(
        folder.resolve("secret"), PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> Secret.read(folder.resolve("secret")))
        .isInstanceOf(TlsException.class)
        .hasMessageContaining("open to other accounts")
        .hasMessageNotContaining(TEXT);
  }
}
