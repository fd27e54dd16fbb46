// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Address;
import dev.cairn.client.CairnClient;
import dev.cairn.client.Security;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which cluster a command talks to, and how long it waits. */
final class ClusterOptions {
  static final String DEFAULT_NODES = "127.0.0.1:5000,127.0.0.1:5001,127.0.0.1:5002";
  private static final double TIMEOUT_SECONDS_MAX = 3600;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--nodes",
      paramLabel = "HOST:PORT,...",
      defaultValue = "${env:CAIRN_NODES:-" + DEFAULT_NODES + "}",
      description =
          "Some nodes of the cluster; the rest is learned from them (default: CAIRN_NODES, or"
              + " "
              + DEFAULT_NODES
              + ").")
  private String nodes;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "2",
      description = "How long to wait for a node before the next is tried (default: 2).")
  private double timeoutSeconds;

  @CommandLine.Mixin private SecurityOptions security = new SecurityOptions();

  /** Options as if they were given on a command line. */
  static ClusterOptions of(String nodes) {
    return of(nodes, Security.NONE);
  }

  static ClusterOptions of(String nodes, Security security) {
    ClusterOptions options = new ClusterOptions();
    options.security = SecurityOptions.of(security);
    options.nodes = nodes;
    options.timeoutSeconds = 2;
    return options;
  }

  List<Address> nodes() {
    try {
      return Address.parseList(NodeUrls.of(nodes).addresses());
    } catch (IllegalArgumentException malformed) {
      throw new CommandLine.ParameterException(
          command.commandLine(), "--nodes: " + malformed.getMessage(), malformed);
    }
  }

  /** Over TLS or not, and as whom. */
  Security security() {
    return security.security(NodeUrls.of(nodes));
  }

  Duration timeout() {
    if (!(timeoutSeconds >= 0.001 && timeoutSeconds <= TIMEOUT_SECONDS_MAX)) {
      throw new CommandLine.ParameterException(
          command.commandLine(), "--timeout must be 0.001 to 3600 seconds");
    }
    return Duration.ofMillis(Math.round(timeoutSeconds * 1000));
  }

  /**
   * A client for a person: a silent node is left after the timeout, what is refused is tried again
   * for as long, and the call ends after twice the timeout.
   */
  CairnClient.Builder client() {
    return CairnClient.builder()
        .nodes(nodes())
        .security(security())
        .attemptTimeout(timeout())
        .connectTimeout(timeout())
        .retryTime(timeout())
        .deadline(timeout().multipliedBy(2));
  }
}
