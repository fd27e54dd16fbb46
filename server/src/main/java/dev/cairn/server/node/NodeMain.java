// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import ch.qos.logback.classic.LoggerContext;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.net.BindException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Where the process begins: {@code node}, {@code log} and {@code cert}.
 *
 * <p>What a person can put right is one line and status 2, without a stack trace. A signal stops
 * the node in an orderly way and ends with status 0; a node that has to end by itself halts with a
 * status of its own.
 */
public final class NodeMain {
  static final int STATUS_FAILED = 1;
  static final int STATUS_NOT_STARTED = 2;

  /** An fsync failed, or the disk: the node ended by itself and must not go on. */
  static final int STATUS_DISK_FAILED = 3;

  private static final long STOP_TIMEOUT_MILLIS = 30_000;

  private final OutputStream out;
  private final PrintStream err;
  private final Map<String, String> environment;
  private final Path currentFolder;

  NodeMain(OutputStream out, PrintStream err, Map<String, String> environment, Path currentFolder) {
    this.out = out;
    this.err = err;
    this.environment = environment;
    this.currentFolder = currentFolder;
  }

  public static void main(String[] arguments) throws InterruptedException {
    // Not System.out, which says nothing of a reader that left.
    NodeMain main =
        new NodeMain(
            new FileOutputStream(FileDescriptor.out), System.err, System.getenv(), Path.of(""));
    int status = main.run(arguments);
    if (status == 0 && main.node != null) {
      new CountDownLatch(1).await(); // The node runs until a signal comes.
    }
    System.exit(status);
  }

  /** The node that {@link #run} started. Guarded by the main thread. */
  private Node node;

  Optional<Node> node() {
    return Optional.ofNullable(node);
  }

  /** Does what was asked for; 0 with {@link #node} present when a node runs now. */
  int run(String... arguments) {
    CommandLine commandLine = commandLine();
    commandLine.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    commandLine.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    try {
      ParseResult parsed = commandLine.parseArgs(arguments);
      if (CommandLine.printHelpIfRequested(parsed)) {
        return 0;
      }
      ParseResult command = parsed.hasSubcommand() ? parsed.subcommand() : null;
      if (command == null) {
        commandLine.usage(err);
        return STATUS_NOT_STARTED;
      }
      if (command.commandSpec().name().equals(LogCommand.NAME)) {
        Path checkout = currentFolder.resolve(environment.getOrDefault("CAIRN_HOME", ""));
        return LogCommand.run(command, checkout, out);
      }
      if (command.commandSpec().name().equals(CertCommand.NAME)) {
        return CertCommand.run(command, currentFolder, out);
      }
      start(NodeCommand.config(command, environment, currentFolder));
      return 0;
    } catch (ParameterException e) {
      return refuse(e, arguments);
    } catch (StartException e) {
      err.println("cairn: " + e.getMessage());
      return STATUS_NOT_STARTED;
    } catch (Exception e) {
      return fail(e);
    }
  }

  static CommandLine commandLine() {
    CommandSpec spec = CommandSpec.create().name("cairn").mixinStandardHelpOptions(true);
    spec.versionProvider(new Release());
    spec.addSubcommand(NodeCommand.NAME, new CommandLine(NodeCommand.spec()));
    spec.addSubcommand(LogCommand.NAME, new CommandLine(LogCommand.spec()));
    spec.addSubcommand(CertCommand.NAME, new CommandLine(CertCommand.spec()));
    return new CommandLine(spec);
  }

  private void start(NodeConfig config) throws Exception {
    ListenPorts.requireFree(config);
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      context.putProperty("node", config.founding().self().name());
    }
    Node started = Node.start(config, Runtime.getRuntime()::halt);
    node = started;
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(started), "stop"));
    LoggerFactory.getLogger(NodeMain.class).info("started; Ctrl-C or SIGTERM stops it");
  }

  /** On a signal. The JVM would end with 128 + the signal's number; an orderly stop is no fault. */
  private static void stop(Node node) {
    Logger log = LoggerFactory.getLogger(NodeMain.class);
    int[] status = {STATUS_FAILED};
    Thread stopping =
        new Thread(
            () -> {
              try {
                node.stop();
                status[0] = 0;
              } catch (Exception e) {
                log.error("stopped with an error", e);
              }
            },
            "stopping");
    stopping.setDaemon(true);
    stopping.start();
    try {
      stopping.join(STOP_TIMEOUT_MILLIS);
      if (stopping.isAlive()) {
        log.error("not stopped after {} ms: ending as after a crash", STOP_TIMEOUT_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Runtime.getRuntime().halt(stopping.isAlive() ? STATUS_FAILED : status[0]);
  }

  private int refuse(ParameterException refused, String... arguments) {
    CommandLine command = refused.getCommandLine();
    ParameterException e =
        refused instanceof MissingParameterException
            ? unknownOption(command, arguments).orElse(refused)
            : refused;
    err.println("cairn: " + e.getMessage());
    if (e == refused) {
      UnmatchedArgumentException.printSuggestions(e, err);
    } else {
      err.println(refused.getMessage());
    }
    err.println("Try './cairn " + command.getCommandName() + " --help'.");
    return STATUS_NOT_STARTED;
  }

  /** A mistyped option may be why another is missing. */
  private static Optional<ParameterException> unknownOption(
      CommandLine command, String... arguments) {
    return Arrays.stream(arguments)
        .map(argument -> argument.split("=", 2)[0])
        .filter(word -> word.startsWith("--"))
        .filter(word -> !command.getCommandSpec().optionsMap().containsKey(word))
        .<ParameterException>map(
            word -> new UnmatchedArgumentException(command, new ArrayList<>(List.of(word))))
        .findFirst();
  }

  private int fail(Exception e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof BindException || String.valueOf(cause.getMessage()).contains("bind(")) {
        err.println(
            "cairn: a port is in use (%s): stop the process that has it, or give other ports"
                .formatted(cause.getMessage()));
        return STATUS_NOT_STARTED;
      }
    }
    LoggerFactory.getLogger(NodeMain.class).error("the node could not start", e);
    return STATUS_FAILED;
  }
}
