// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.cluster.Announced;
import dev.cairn.server.cluster.MemberAddress;
import dev.cairn.server.command.ShutdownBy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeConfigTest {
  @TempDir Path folder;

  @Test
  void defaultsAreTheQuickStart() throws StartException {
    NodeConfig config = config(Map.of(), "5000");

    assertThat(config.listening().port()).isEqualTo(5000);
    assertThat(config.listening().host()).isEqualTo("127.0.0.1");
    assertThat(config.listening().peerPort()).isEqualTo(15000);
    assertThat(config.listening().clusterPort()).isEqualTo(25000);
    assertThat(config.founding().self().name()).isEqualTo("127.0.0.1:5000");
    assertThat(config.founding().members())
        .containsExactly(
            new MemberAddress("127.0.0.1", 5000, 15000),
            new MemberAddress("127.0.0.1", 5001, 15001),
            new MemberAddress("127.0.0.1", 5002, 15002));
    assertThat(config.disk().data()).isEqualTo(folder.resolve("data/5000"));
    assertThat(config.founding().creation().replicationFactorNow()).isEqualTo(2);
    assertThat(config.founding().creation().partitionsNow()).isEqualTo(6);
    assertThat(config.serving().valueBytesMax()).isEqualTo(16 * 1024 * 1024);
    assertThat(config.disk().cacheBytes()).isEqualTo(64 << 20);
    assertThat(config.protection().notProtected(false)).isEmpty();
    assertThat(config.serving().enableShutdown()).isEqualTo(ShutdownBy.LOCAL);
    assertThat(config.serving().slowlogValues()).isFalse();
  }

  @Test
  void commandLineComesBeforeEnvironmentBeforeFile() throws Exception {
    Path file = folder.resolve("cairn.yaml");
    Files.writeString(
        file, "partitions: 12\nreplication-factor: 3\nvalue-bytes-max: 1000\nport: 5001\n");
    Map<String, String> environment =
        Map.of("CAIRN_REPLICATION_FACTOR", "4", "CAIRN_PARTITIONS", "24", "CAIRN_DATA", "");

    NodeConfig config = config(environment, "--config", file.toString(), "--partitions", "48");

    assertThat(config.founding().creation().partitionsNow()).isEqualTo(48);
    assertThat(config.founding().creation().replicationFactorNow()).isEqualTo(4);
    assertThat(config.serving().valueBytesMax()).isEqualTo(1000);
    assertThat(config.listening().port()).isEqualTo(5001);
    assertThat(config.disk().data())
        .as("an empty variable is none")
        .isEqualTo(folder.resolve("data/5001"));
  }

  @Test
  void environmentNamesTheFileToo() throws Exception {
    Files.writeString(
        folder.resolve("cairn.yaml"),
        "port: 5002\ninsecure: true\nhost: 10.0.0.1\nenable-shutdown: no\nslowlog-values: true\n");

    NodeConfig config = config(Map.of("CAIRN_CONFIG", "cairn.yaml"));

    assertThat(config.listening().port()).isEqualTo(5002);
    assertThat(config.protection().notProtected(false)).isPresent();
    assertThat(config.serving().enableShutdown()).isEqualTo(ShutdownBy.NO);
    assertThat(config.serving().slowlogValues()).isTrue();
    assertThat(config.founding().members().get(0).name()).isEqualTo("10.0.0.1:5000");
  }

  @Test
  void membersAreAnyHostsInAnyOrder() throws StartException {
    NodeConfig config =
        config(
            Map.of(),
            "7000",
            "--host=::1",
            "--cluster",
            "node-b.example:7000, [::1]:7000/7100,10.0.0.9:65000/1");

    assertThat(config.founding().self()).isEqualTo(new MemberAddress("::1", 7000, 7100));
    assertThat(config.founding().self().name()).isEqualTo("[::1]:7000");
    assertThat(config.listening().peerPort()).isEqualTo(7100);
    assertThat(config.founding().members().stream().map(MemberAddress::name))
        .containsExactly("10.0.0.9:65000", "[::1]:7000", "node-b.example:7000");
    assertThat(config.founding().creation().partitionsNow()).isEqualTo(6);
  }

  @Test
  void listMayStandInTheFileAsAList() throws Exception {
    Files.writeString(folder.resolve("c.yaml"), "cluster:\n  - localhost:7000\n  - '[::1]:7001'\n");

    NodeConfig config = config(Map.of(), "7000", "--config=c.yaml");

    assertThat(config.founding().self().name()).isEqualTo("localhost:7000");
    assertThat(config.founding().members()).hasSize(2);
  }

  @Test
  void otherAddressesNeedInsecure() throws StartException {
    NodeConfig reached = config(Map.of(), "5000", "--host", "10.0.0.1");
    assertThatThrownBy(() -> reached.protection().requireSafe(false))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("--insecure");
    assertThatThrownBy(() -> config(Map.of(), "5000", "--host", "0.0.0.0", "--insecure"))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("--announce-host");

    NodeConfig config =
        config(
            Map.of(), "5000", "--host", "0.0.0.0", "--insecure", "--announce-host", "db1.example");

    assertThat(config.listening().host()).isEqualTo("0.0.0.0");
    assertThat(config.founding().self().name()).isEqualTo("db1.example:5000");
  }

  @Test
  void clientsAreToldOtherAddressesThanPeers() throws StartException {
    String[] arguments = {
      "6000", "--host=10.0.0.1", "--insecure", "--cluster=10.0.0.1:6000,10.0.0.2:6000"
    };
    assertThat(config(Map.of(), arguments).listening().announced())
        .isEqualTo(new Announced("10.0.0.1", 6000, 26_000));

    NodeConfig config =
        config(
            Map.of(
                "CAIRN_ANNOUNCE_HOST", "cairn.example",
                "CAIRN_ANNOUNCE_PORT", "65535",
                "CAIRN_ANNOUNCE_CLUSTER_PORT", "1"),
            arguments);
    assertThat(config.listening().announced()).isEqualTo(new Announced("cairn.example", 65_535, 1));
    assertThat(config.founding().self().toString()).isEqualTo("10.0.0.1:6000/16000");

    NodeConfig byName =
        config(
            Map.of(),
            "5000",
            "--host=0.0.0.0",
            "--insecure",
            "--announce-host=b.example",
            "--cluster=a.example:5000,b.example:5000");
    assertThat(byName.founding().self().name()).isEqualTo("b.example:5000");

    NodeConfig quickStart = config(Map.of(), "5000", "--announce-host=cairn.example");
    assertThat(quickStart.founding().self().name()).isEqualTo("127.0.0.1:5000");
    assertThat(quickStart.listening().announced())
        .isEqualTo(new Announced("cairn.example", 5000, 25_000));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "                                          | which port?",
        "0                                         | PORT: '0' is not a number from 1 to 65535",
        "65536                                     | '65536' is not a number from 1 to 65535",
        "abc                                       | 'abc' is not a number",
        "5000 --partitions 0                       | --partitions: '0' is not a number from 1 to 16384",
        "5000 --partitions 16385                   | from 1 to 16384",
        "5000 --replication-factor 8               | from 1 to 7",
        "5000 --value-bytes-max 268435457          | from 1 to 268435456",
        "5000 --cache-bytes 1048575                | --cache-bytes: '1048575' is not a number from 1048576 to 1099511627776",
        "5000 --cache-bytes 1.5G                   | '1.5G' is not a number from 1048576",
        "5000 --read-consistency some              | 'some' is none of one, quorum, all",
        "5000 --write-consistency one              | 'one' is none of quorum, all",
        "5000 --cluster-port 5000                  | must differ",
        "5000 --cluster-port 15000                 | must differ",
        "5000 --peer-port 16000                    | write 127.0.0.1:5000/16000 in --cluster",
        "60000 --cluster 127.0.0.1:60000           | write host:port/peerPort",
        "60000 --cluster 127.0.0.1:60000/1         | give --cluster-port",
        "5000 --cluster 127.0.0.1:5000,127.0.0.1:5000 | is there twice",
        "5000 --cluster 127.0.0.1:5000,127.0.0.1:5001/15000 | is there twice",
        "5000 --cluster 127.0.0.1                  | there is no port",
        "5000 --cluster 127.0.0.1:5000,            | there is no port",
        "5000 --cluster ::1:5000                   | stands in brackets",
        "5000 --cluster 127.0.0.1:x                | 'x' is no port",
        "5000 --cluster bad_host!:1                | is no host name or address",
        "5000 --host a/b                           | is no host name or address",
        "5000 --announce-port 0                    | --announce-port: '0' is not a number from 1 to 65535",
        "5000 --announce-cluster-port 65536        | is not a number from 1 to 65535",
        "5000 --announce-cluster-port 1 --cluster-port 0 | no cluster port to announce",
        "5000 --http-hosts a,http://b             | 'http://b' is no name of a host",
        "5000 --config missing.yaml                | there is no file",
      })
  void refusesAndSaysWhatToDo(String arguments, String message) {
    String[] split = arguments == null ? new String[0] : arguments.split(" ");
    assertThatThrownBy(() -> config(Map.of(), split))
        .isInstanceOf(StartException.class)
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  /** A node of a cluster that has formed may be elsewhere than the list says. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "5003 | 127.0.0.1:5003/15003 | give every node the same --cluster",
        "5000 --cluster 127.0.0.1:5001 | 127.0.0.1:5000/15000 | this node, 127.0.0.1:5000, is not in --cluster",
        "5000 --cluster 127.0.0.1:5001 --peer-port 7 | 127.0.0.1:5000/7 | is not in --cluster",
        "5000 --announce-host x --cluster 127.0.0.1:5001 | x:5000/15000 | x:5000 or 127.0.0.1:5000, is not in --cluster",
      })
  void whoIsNotListedCannotFoundAClusterAndSaysWhy(String arguments, String self, String why)
      throws StartException {
    NodeConfig config = config(Map.of(), arguments.split(" "));
    assertThat(config.founding().self()).hasToString(self);
    assertThat(config.founding().notListed().orElseThrow()).contains(why);
    assertThat(config(Map.of(), "5000").founding().notListed()).isEmpty();
  }

  @Test
  void boundsThemselvesAreAllowed() throws StartException {
    NodeConfig config =
        config(
            Map.of(),
            "5000",
            "--partitions=16384",
            "--replication-factor=7",
            "--value-bytes-max=268435456",
            "--cache-bytes=1099511627776",
            "--cluster-port=0");

    assertThat(config.listening().clusterPort()).isZero();
    assertThat(config.founding().creation().partitionsNow()).isEqualTo(16384);
    assertThat(config.disk().cacheBytes()).isEqualTo(1L << 40);
  }

  @Test
  void faultsNameTheirSource() {
    assertThatThrownBy(() -> config(Map.of("CAIRN_PARTITIONS", "many"), "5000"))
        .hasMessage("CAIRN_PARTITIONS: 'many' is not a number from 1 to 16384");
    assertThatThrownBy(() -> config(Map.of(), "5000", "--enable-shutdown", "all"))
        .hasMessage("--enable-shutdown: 'all' is none of no, local, yes");
    assertThatThrownBy(() -> config(Map.of("CAIRN_INSECURE", "perhaps"), "5000"))
        .hasMessage("CAIRN_INSECURE: 'perhaps' is neither true nor false");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "port: 5000\\npartitons: 6         | line 2: unknown setting 'partitons'; there are: port, host",
        "port: 5000\\nconfig: x            | line 2: unknown setting 'config'",
        "port: 5000\\nport: 5001           | line 2: 'port' is set a second time",
        "port: 5000\\n\\npartitions:        | line 3: 'partitions' has no value",
        "port: 5000\\npartitions: [1]      | line 2: 'partitions' wants one plain value",
        "port: 5000\\ncluster: [[a]]       | line 2: a member is written host:port",
        "port: 5000\\nhost: {x: [           | wants one plain value",
        "port: 5000\\n  host: x            | line 2: this is not YAML",
        "- port: 5000                      | line 1: this is no list of settings",
        "5000                              | line 1: this is no list of settings",
        "port: 5000\\n---\\nport: 5001      | there is a second document",
        "port: 5000\\npartitions: x        | line 2 of c.yaml: 'x' is not a number",
      })
  void faultsOfTheFileNameTheLine(String text, String message) throws Exception {
    assertThatThrownBy(
            () ->
                NodeConfig.of(
                    SettingSources.parse(text.replace("\\n", "\n"), "c.yaml"), Path.of("/x")))
        .isInstanceOf(StartException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("c.yaml")
        .hasMessageNotContaining("\n");
  }

  @Test
  void emptyFileSetsNothing() throws StartException {
    assertThat(SettingSources.parse("", "c.yaml")).isEmpty();
    assertThat(SettingSources.parse("# nothing\n", "c.yaml")).isEmpty();
  }

  @Test
  void fileHasABound() throws Exception {
    Path file = folder.resolve("c.yaml");
    Files.writeString(file, "#".repeat(SettingSources.FILE_BYTES_MAX));
    assertThat(config(Map.of(), "5000", "--config=c.yaml").listening().port()).isEqualTo(5000);

    Files.writeString(file, "#".repeat(SettingSources.FILE_BYTES_MAX + 1));
    assertThatThrownBy(() -> config(Map.of(), "5000", "--config=c.yaml"))
        .isInstanceOf(StartException.class)
        .hasMessageContaining("larger than");
  }

  @Test
  void relativeDataIsRelativeToTheCheckoutNotTheCurrentFolder() throws StartException {
    NodeConfig config =
        NodeCommand.config(
            NodeMain.commandLine().parseArgs("node", "5000", "--data", "here").subcommand(),
            Map.of("CAIRN_HOME", "/checkout"),
            Path.of("/elsewhere"));

    assertThat(config.disk().data()).isEqualTo(Path.of("/checkout/here"));
  }

  private NodeConfig config(Map<String, String> environment, String... arguments)
      throws StartException {
    List<String> all = new ArrayList<>(List.of("node"));
    all.addAll(Arrays.asList(arguments));
    return NodeCommand.config(
        NodeMain.commandLine().parseArgs(all.toArray(String[]::new)).subcommand(),
        environment,
        folder);
  }
}
