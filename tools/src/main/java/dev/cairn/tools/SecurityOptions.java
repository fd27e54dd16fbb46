// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools;

import dev.cairn.client.Security;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Over TLS or not, and as whom. A password is never an option of its own: whoever lists the
 * machine's processes would read it.
 */
final class SecurityOptions {
  private static final String PASSWORD = "CAIRN_PASSWORD";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--tls",
      description = "Speak TLS, as with nodes that are named rediss://HOST:PORT.")
  private boolean tls;

  @Option(
      names = "--cacert",
      paramLabel = "FILE",
      description =
          "The CAs that sign the nodes' certificates, PEM (default: those that Java trusts).")
  private Path authorities;

  @Option(
      names = "--cert",
      paramLabel = "FILE",
      description = "The certificate to show, PEM; with --key.")
  private Path certificate;

  @Option(names = "--key", paramLabel = "FILE", description = "Its key, PEM in PKCS#8.")
  private Path key;

  @Option(
      names = "--user",
      paramLabel = "NAME",
      description = "Log in as this user; also rediss://NAME@HOST:PORT (default: default).")
  private String user;

  @Option(
      names = "--password-file",
      paramLabel = "FILE",
      description = "File with the password; else it is CAIRN_PASSWORD, if that is set.")
  private Path passwordFile;

  private Security built;

  /** As if they were given on a command line. */
  static SecurityOptions of(Security security) {
    SecurityOptions options = new SecurityOptions();
    options.built = security;
    return options;
  }

  /** What the options say, with what stands in the nodes' names. */
  synchronized Security security(NodeUrls nodes) {
    if (built == null) {
      built = build(nodes, System.getenv(PASSWORD));
    }
    return built;
  }

  private Security build(NodeUrls nodes, String environment) {
    Security security = Security.NONE;
    boolean wanted = tls || nodes.tls();
    if (!wanted && (authorities != null || certificate != null || key != null)) {
      throw misuse("--cacert, --cert and --key are for TLS: give --tls too, or rediss://HOST:PORT");
    }
    if ((certificate == null) != (key == null)) {
      throw misuse("--cert and --key belong together: give both");
    }
    try {
      if (wanted) {
        security =
            security.tls(
                Security.context(
                    Optional.ofNullable(authorities),
                    Optional.ofNullable(certificate),
                    Optional.ofNullable(key)));
      }
      return login(security, nodes, environment);
    } catch (IOException unread) {
      throw misuse(
          unread instanceof NoSuchFileException
              ? unread.getMessage() + ": there is no such file"
              : unread.getMessage());
    }
  }

  private Security login(Security security, NodeUrls nodes, String environment) throws IOException {
    String as = user != null ? user : nodes.user().orElse("");
    String password;
    if (passwordFile != null) {
      password = Files.readString(passwordFile, StandardCharsets.UTF_8).strip();
      if (password.isEmpty()) {
        throw misuse("--password-file: " + passwordFile + " is empty");
      }
    } else if (nodes.password().isPresent()) {
      command
          .commandLine()
          .getErr()
          .println(
              "Warning: everybody on this machine can read the password in --nodes. Give it in"
                  + " CAIRN_PASSWORD or --password-file.");
      password = nodes.password().get();
    } else {
      password = environment;
    }
    if (password == null || password.isEmpty()) {
      if (!as.isEmpty()) {
        throw misuse(
            "user "
                + as
                + " has no password here: give --password-file FILE or set CAIRN_PASSWORD");
      }
      return security;
    }
    return security.login(as.isEmpty() ? "default" : as, password);
  }

  private CommandLine.ParameterException misuse(String why) {
    return new CommandLine.ParameterException(command.commandLine(), why);
  }
}
