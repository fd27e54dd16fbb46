// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/** Starts JVMs on this class path, and lets none of them outlive this process. */
final class Children {
  /** Names the folder of what {@code Rehearsal} left, where it was run for this class path. */
  private static final String PREPARED = "cairn.testkit.prepared";

  private static final Set<Process> ALIVE = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> ALIVE.forEach(Process::destroyForcibly), "testkit-children"));
  }

  private Children() {}

  /**
   * A builder for a JVM with the options that {@code ./cairn} gives a node, but for the second
   * compiler: nodes under test live for seconds, and compiling would take most of the machine.
   */
  static ProcessBuilder node(List<String> javaOptions, String... arguments) {
    List<String> options =
        new ArrayList<>(
            List.of("-Xmx512m", "-Xss512k", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"));
    String prepared = System.getProperty(PREPARED);
    if (prepared != null) {
      options.add("-Djava.library.path=" + prepared);
      options.add("-XX:SharedArchiveFile=" + Path.of(prepared, "classes.jsa"));
    }
    options.addAll(javaOptions);
    ProcessBuilder builder = java(options, "dev.cairn.server.node.NodeMain", arguments);
    builder.environment().putIfAbsent("MALLOC_ARENA_MAX", "2");
    return builder;
  }

  /** A builder for a JVM with the options that {@code ./cairn} gives its tools. */
  static ProcessBuilder tool(String... arguments) {
    return java(
        List.of("-Xmx512m", "-XX:TieredStopAtLevel=1"), "dev.cairn.tools.ToolsMain", arguments);
  }

  static Process start(ProcessBuilder builder) {
    try {
      Process process = builder.start();
      ALIVE.add(process);
      process.onExit().thenAccept(ALIVE::remove);
      return process;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + builder.command().get(0), e);
    }
  }

  private static ProcessBuilder java(List<String> options, String main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dfile.encoding=UTF-8"));
    int version = Runtime.version().feature();
    if (version >= 23) {
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    if (version >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(options);
    command.addAll(List.of("-cp", classPath(), main));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    // What the shell that runs the tests has set for its own nodes is none of theirs.
    builder.environment().keySet().removeIf(name -> name.startsWith("CAIRN_"));
    return builder;
  }

  /** Without the tests' own classes: their configuration of the log is not the product's. */
  private static String classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> !Path.of(entry).endsWith("test-classes"))
        .collect(Collectors.joining(File.pathSeparator));
  }
}
