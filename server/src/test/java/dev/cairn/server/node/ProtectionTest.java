// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Audit;
import dev.cairn.server.node.SettingSources.Given;
import dev.cairn.server.tls.ClientCertificates;
import dev.cairn.server.tls.TlsMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProtectionTest {
  private static final String CERTIFICATE = "--tls-cert=c --tls-key=k ";

  @TempDir Path folder;

  /** Of options as on a command line; {@code @} stands for an address that others reach. */
  private static Protection of(String words) throws StartException {
    Map<Setting, Given> given = new EnumMap<>(Setting.class);
    boolean reachable = false;
    for (String word : words.strip().split(" +")) {
      if (word.equals("@")) {
        reachable = true;
      } else if (!word.isEmpty()) {
        String[] parts = word.substring(2).split("=", 2);
        given.put(
            Setting.ofKey(parts[0]).orElseThrow(),
            new Given(parts.length == 1 ? "true" : parts[1], "--" + parts[0]));
      }
    }
    SettingReader reader = new SettingReader(given);
    Protection protection = Protection.of(reader, "10.0.0.1", reachable);
    AccessSettings.of(reader, protection.clients().certificates());
    return protection;
  }

  @Test
  void onLoopbackNothingIsAskedFor() throws StartException {
    Protection nothing = of("");
    assertThat(nothing.clients().mode()).isEqualTo(TlsMode.OFF);
    assertThat(nothing.peers().mode()).isEqualTo(TlsMode.OFF);
    assertThat(nothing.notProtected(false)).isEmpty();
  }

  @Test
  void whatIsGivenIsRequired() throws StartException {
    Protection all = of("@ " + CERTIFICATE + "--tls-ca=ca --peer-ca=p");
    assertThat(all.clients().mode()).isEqualTo(TlsMode.REQUIRED);
    assertThat(all.clients().certificates()).isEqualTo(ClientCertificates.REQUIRED);
    assertThat(all.peers().mode()).isEqualTo(TlsMode.REQUIRED);
    assertThat(all.notProtected(false)).isEmpty();
    assertThat(of(CERTIFICATE).clients().certificates()).isEqualTo(ClientCertificates.NONE);
    assertThat(of("--cluster-secret-file=s").peers().mode()).isEqualTo(TlsMode.REQUIRED);
    Protection named = of(CERTIFICATE + "--tls-ca=ca --peer-name=n");
    assertThat(named.peers().authorities()).isEqualTo(named.clients().authorities());
    assertThat(of(CERTIFICATE + "--tls=off").clients().mode()).isEqualTo(TlsMode.OFF);
  }

  @Test
  void optionalHoldsForPeersTooAndIsToldOf() throws StartException {
    Protection both = of(CERTIFICATE + "--tls=optional --cluster-secret-file=s");
    assertThat(both.clients().mode()).isEqualTo(TlsMode.OPTIONAL);
    assertThat(both.peers().mode()).isEqualTo(TlsMode.OPTIONAL);
    assertThat(both.notProtected(false).orElseThrow()).contains("while --tls is optional");
    Protection peers = of("--tls=optional --cluster-secret-file=s");
    assertThat(peers.clients().mode()).isEqualTo(TlsMode.OFF);
    assertThat(peers.peers().mode()).isEqualTo(TlsMode.OPTIONAL);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "@                                                   | client ports let everybody in, and its peer port",
        "@ --cluster-secret-file=s                           | client ports let everybody in. Give",
        "@ --tls-cert=c --tls-key=k --cluster-secret-file=s  | client ports let everybody in. Give",
        "@ --tls-cert=c --tls-key=k --tls-ca=a               | peer port lets everybody in. Give",
        "@ --tls-cert=c --tls-ca=a --tls-clients=optional --peer-name=n | client ports let everybody in",
        "@ --tls-cert=c --tls-ca=a --tls=optional --peer-name=n | while --tls is optional",
        "@ --tls-cert=c --tls-ca=a --tls=off --peer-name=n   | client ports let everybody in",
      })
  void anAddressThatOthersReachNeedsBothOrInsecure(String words, String message)
      throws StartException {
    assertThatThrownBy(() -> of(words).requireSafe(false))
        .isInstanceOf(StartException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("--insecure");

    Protection accepted = of(words + " --insecure");
    accepted.requireSafe(false);
    assertThat(accepted.notProtected(false)).isPresent();
  }

  @Test
  void passwordsThatOthersCanReadAreWarnedOf() throws StartException {
    Protection plain = of("@ --cluster-secret-file=s");
    assertThat(plain.inTheClear(true).orElseThrow())
        .startsWith("passwords cross the network in the clear: give --tls-cert FILE");
    assertThat(plain.inTheClear(false)).isEmpty();
    assertThat(of("@ " + CERTIFICATE + "--tls=optional").inTheClear(true).orElseThrow())
        .contains("in the clear where clients speak no TLS");
    assertThat(of("@ " + CERTIFICATE).inTheClear(true)).isEmpty();
    assertThat(of("").inTheClear(true)).isEmpty();
  }

  @Test
  void usersProtectTheClientPortsForAsLongAsEverybodyLogsIn() throws StartException {
    Protection secret = of("@ --cluster-secret-file=s");
    secret.requireSafe(true);
    assertThat(secret.notProtected(true)).isEmpty();
    assertThat(secret.notProtected(false).orElseThrow())
        .isEqualTo("its client ports let everybody in");
    assertThatThrownBy(() -> of("@").requireSafe(true))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("and its peer port lets everybody in. Give");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--tls=perhaps                                  | 'perhaps' is none of off, optional, required",
        "--tls=required                                 | needs a certificate",
        "--tls=optional                                 | needs a certificate",
        "--tls-key=k                                    | --tls-key needs its certificate: give --tls-cert",
        "--peer-key=k                                   | --peer-key needs its certificate: give --peer-cert",
        "--tls-cert=c --tls-clients=required            | give --tls-ca",
        "--tls-cert=c --tls-clients=all                 | 'all' is none of none, optional, required",
        "--tls-cert=c --tls-users=certificate           | give --tls-ca FILE, and leave --tls-clients none out",
        "--tls-cert=c --tls-ca=a --tls-users=name       | 'name' is none of password, certificate",
        "--rights-age-max-seconds=4                     | is too short: it is 0, or at least 5",
        "--rights-age-max-seconds=86401                 | is not a number from 0 to 86400",
        "--tls=off --tls-ca=a --tls-clients=required    | needs TLS",
        "--peer-ca=p                                    | needs a certificate of this node",
        "--peer-name=n                                  | needs the CA of the nodes' certificates",
        "--peer-cert=c                                  | needs the CA of the other nodes",
        "--tls-cert=c --peer-ca=p --cluster-secret-file=s | by certificates or by a secret",
      })
  void whatBelongsTogetherIsAskedFor(String words, String message) {
    assertThatThrownBy(() -> of(words))
        .isInstanceOf(StartException.class)
        .hasMessageContaining(message);
  }

  /** It is what the users are that counts, not that a file has some. */
  @Test
  void usersOfWhomOneNeedsNoPasswordProtectNothing() throws Exception {
    Path users = Files.writeString(folder.resolve("users"), "user root on >long-enough ~* +@all\n");
    Files.setPosixFilePermissions(users, PosixFilePermissions.fromString("rw-------"));
    NodeConfig config =
        NodeConfig.of(
            Map.of(
                Setting.PORT, new Given("5000", ""),
                Setting.HOST, new Given("10.0.0.1", ""),
                Setting.CLUSTER, new Given("10.0.0.1:5000", ""),
                Setting.USERS_FILE, new Given(users.toString(), ""),
                Setting.CLUSTER_SECRET_FILE, new Given("s", "")),
            folder);
    assertThatThrownBy(() -> Node.start(config, status -> {}))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("its client ports let everybody in");

    Files.writeString(users, "user default off\nuser root on >long-enough ~* +@all\n");
    try (AccessControl access = config.access().open(folder, Audit.NONE)) {
      config.protection().requireSafe(!access.users().needsNoLogin());
    }
  }

  @Test
  void filesThatCannotBeUsedEndTheStart() throws Exception {
    Path secret = Files.writeString(folder.resolve("secret"), "x");
    assertThatThrownBy(() -> of("--cluster-secret-file=" + secret).peerTls())
        .isInstanceOf(StartException.class)
        .hasMessageContaining("secret");
    assertThatThrownBy(() -> of("--tls-cert=" + folder.resolve("none")).clientTls())
        .isInstanceOf(StartException.class)
        .hasMessageContaining("there is no such file");
  }
}
