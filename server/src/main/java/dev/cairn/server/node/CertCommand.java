// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.tls.CertificateWriter;
import dev.cairn.server.tls.CertificateWriter.Use;
import dev.cairn.server.tls.CertificateWriter.Wanted;
import dev.cairn.server.tls.CertificateWriter.Written;
import dev.cairn.server.tls.IdentityFiles;
import dev.cairn.server.tls.TlsException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * {@code cairn cert}: certificates for a trial, written by a small authority of one's own. Keys are
 * readable by their owner only; no file is overwritten.
 */
final class CertCommand {
  static final String NAME = "cert";

  /** What {@code --peer-name} is told where these certificates are used. */
  static final String NODE_NAME = "cairn-node";

  private static final String AUTHORITY = "ca";
  private static final String NODE = "node";
  private static final String CLIENT = "client";
  private static final int DAYS_MAX = 36_500;
  private static final int CLIENT_NAME_CHARACTERS_MAX = 64; // of a common name, RFC 5280

  private CertCommand() {}

  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name(NAME).mixinStandardHelpOptions(true);
    spec.versionProvider(new Release());
    spec.usageMessage()
        .description(
            "Writes certificates for a trial: first an authority, then those that it signs.",
            "Whoever has ca.key can make more of them: keep it away from the nodes.")
        .exitCodeListHeading("%nExit status:%n")
        .exitCodeList(Map.of("0", "written", "2", "nothing was written"));
    spec.addSubcommand(
        AUTHORITY, new CommandLine(one(AUTHORITY, 3650, "Writes ca.crt and ca.key.", null)));
    spec.addSubcommand(
        NODE,
        new CommandLine(
            one(
                NODE,
                365,
                "Writes node.crt and node.key for nodes on these hosts: names and addresses by which"
                    + " clients reach them. localhost and 127.0.0.1 are always among them.",
                PositionalParamSpec.builder()
                    .paramLabel("HOST")
                    .type(List.class)
                    .auxiliaryTypes(String.class)
                    .arity("0..*")
                    .description("Names and addresses.")
                    .build())));
    spec.addSubcommand(
        CLIENT,
        new CommandLine(
            one(
                CLIENT,
                365,
                "Writes client.NAME.crt and client.NAME.key; NAME is the certificate's common name.",
                PositionalParamSpec.builder()
                    .paramLabel("NAME")
                    .type(String.class)
                    .arity("1")
                    .description("Who shows it.")
                    .build())));
    return spec;
  }

  private static CommandSpec one(String name, int days, String does, PositionalParamSpec of) {
    CommandSpec spec = CommandSpec.create().name(name).mixinStandardHelpOptions(true);
    spec.versionProvider(new Release());
    spec.usageMessage().description(does);
    spec.addOption(
        OptionSpec.builder("--dir")
            .type(String.class)
            .arity("1")
            .paramLabel("DIR")
            .defaultValue("certs")
            .description("Folder of the files, relative to the current one (default: certs).")
            .build());
    spec.addOption(
        OptionSpec.builder("--days")
            .type(Integer.class)
            .arity("1")
            .paramLabel("N")
            .defaultValue(Integer.toString(days))
            .description("How long it is good, 1 to 36500 days (default: " + days + ").")
            .build());
    if (of != null) {
      spec.addPositional(of);
    }
    return spec;
  }

  /** Writes what was asked for; the exit status. */
  static int run(ParseResult parsed, Path currentFolder, OutputStream out) throws StartException {
    if (!parsed.hasSubcommand()) {
      throw new StartException(
          "which certificate? ./cairn cert ca first, then ./cairn cert node HOST... and ./cairn cert client NAME");
    }
    ParseResult asked = parsed.subcommand();
    String dir = asked.matchedOptionValue("--dir", "certs");
    Path folder = currentFolder.toAbsolutePath().resolve(dir);
    int days =
        asked.matchedOptionValue(
            "--days", asked.commandSpec().name().equals(AUTHORITY) ? 3650 : 365);
    if (days < 1 || days > DAYS_MAX) {
      throw new StartException("--days: %d is not a number from 1 to %d".formatted(days, DAYS_MAX));
    }
    Instant expires = Instant.now().plus(Duration.ofDays(days));
    PrintStream lines = new PrintStream(out, true, StandardCharsets.UTF_8);
    try {
      Files.createDirectories(folder);
      CertificateWriter writer = new CertificateWriter(new SecureRandom());
      switch (asked.commandSpec().name()) {
        case AUTHORITY ->
            write(
                writer.selfSigned(new Wanted(Use.AUTHORITY, "Cairn CA", List.of(), expires)),
                folder.resolve("ca"),
                lines);
        case NODE ->
            write(
                writer.signed(
                    new Wanted(Use.NODE, NODE_NAME, hosts(asked), expires), authority(folder)),
                folder.resolve("node"),
                lines);
        default -> {
          String name = name(asked);
          write(
              writer.signed(new Wanted(Use.CLIENT, name, List.of(), expires), authority(folder)),
              folder.resolve("client." + name),
              lines);
        }
      }
      return 0;
    } catch (FileAlreadyExistsException e) {
      throw new StartException(
          e.getFile() + " is there already: remove it first, or give another --dir", e);
    } catch (IOException e) {
      throw new StartException("cannot write to " + folder + ": " + e.getMessage(), e);
    } catch (TlsException e) {
      throw new StartException(e.getMessage(), e);
    }
  }

  private static List<String> hosts(ParseResult asked) {
    List<String> given = asked.matchedPositionalValue(0, List.of());
    return Stream.concat(Stream.of("localhost", "127.0.0.1", NODE_NAME), given.stream())
        .distinct()
        .toList();
  }

  private static String name(ParseResult asked) throws StartException {
    String name = asked.matchedPositionalValue(0, "");
    if (!name.matches("[A-Za-z0-9._-]{1," + CLIENT_NAME_CHARACTERS_MAX + "}")) {
      throw new StartException(
          "NAME has 1 to %d letters, digits, '.', '_' and '-'"
              .formatted(CLIENT_NAME_CHARACTERS_MAX));
    }
    return name;
  }

  private static Written authority(Path folder) throws StartException, TlsException {
    Path certificate = folder.resolve("ca.crt");
    if (!Files.exists(certificate)) {
      throw new StartException("there is no " + certificate + ": run ./cairn cert ca first");
    }
    return CertificateWriter.read(
        new IdentityFiles(certificate, Optional.of(folder.resolve("ca.key")), Optional.empty()));
  }

  private static void write(Written written, Path beginning, PrintStream lines) throws IOException {
    Path key = Path.of(beginning + ".key");
    Path certificate = Path.of(beginning + ".crt");
    if (Files.exists(certificate)) {
      throw new FileAlreadyExistsException(certificate.toString());
    }
    FileAttribute<?>[] owners =
        Files.getFileStore(beginning.getParent()).supportsFileAttributeView("posix")
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
            }
            : new FileAttribute<?>[0];
    Files.createFile(key, owners);
    Files.writeString(key, written.keyPem());
    Files.writeString(certificate, written.certificatePem(), StandardOpenOption.CREATE_NEW);
    lines.println(certificate);
    lines.println(key);
  }
}
