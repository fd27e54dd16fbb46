// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.command.Command;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.metrics.CommandMetrics.Kind;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What this node tells the others that it uses and has answered, so that each of them can show the
 * whole cluster. Looked at twice a second; any thread.
 */
final class NodeFigures {
  private static final Path PROCESS_STATUS = Path.of("/proc/self/status");
  private static final Map<String, Kind> KINDS = kinds();

  private final Path folder;
  private final CommandMetrics commands;

  /**
   * Nothing is looked at yet.
   *
   * @param folder on the disk that is told of
   */
  NodeFigures(Path folder, CommandMetrics commands) {
    this.folder = folder;
    this.commands = commands;
  }

  NodeReport.Figures look() {
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    return new NodeReport.Figures(
        ManagementFactory.getRuntimeMXBean().getUptime(),
        folder.toFile().getTotalSpace(),
        heap.getUsed(),
        Math.max(0, heap.getMax()),
        residentBytes(),
        commands.totals(NodeFigures::kind));
  }

  /** Requests over HTTP are named http.RESOURCE.METHOD. */
  static Kind kind(String command) {
    if (command.startsWith("http.")) {
      return command.endsWith(".get") || command.endsWith(".head") ? Kind.READ : Kind.WRITE;
    }
    return KINDS.getOrDefault(command, Kind.OTHER);
  }

  private static Map<String, Kind> kinds() {
    Map<String, Kind> kinds = new HashMap<>();
    for (Command command : CommandTable.rows()) {
      kinds.put(
          command.name(),
          switch (command.access()) {
            case READ -> Kind.READ;
            case WRITE -> Kind.WRITE;
            case NONE -> Kind.OTHER;
          });
    }
    return Map.copyOf(kinds);
  }

  /** As Linux says; 0 elsewhere. */
  private static long residentBytes() {
    try {
      if (!Files.isReadable(PROCESS_STATUS)) {
        return 0;
      }
      for (String line : Files.readAllLines(PROCESS_STATUS, StandardCharsets.ISO_8859_1)) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
        }
      }
      return 0;
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }
}
