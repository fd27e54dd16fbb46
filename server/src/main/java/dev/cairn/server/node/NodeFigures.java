// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import dev.cairn.server.cluster.NodeReport;
import dev.cairn.server.command.Command;
import dev.cairn.server.command.CommandTable;
import dev.cairn.server.metrics.CommandMetrics;
import dev.cairn.server.metrics.CommandMetrics.Kind;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.metrics.ProcessFigures;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * What this node tells the others that it uses and has answered, so that each of them can show the
 * whole cluster. Looked at twice a second; any thread.
 */
final class NodeFigures {
  private static final Map<String, Kind> KINDS = kinds();

  private final Path folder;
  private final Metrics metrics;

  /**
   * Nothing is looked at yet.
   *
   * @param folder on the disk that is told of
   */
  NodeFigures(Path folder, Metrics metrics) {
    this.folder = folder;
    this.metrics = metrics;
  }

  NodeReport.Figures look() {
    MemoryUsage heap = ProcessFigures.heap();
    metrics.samples().take();
    return new NodeReport.Figures(
        ManagementFactory.getRuntimeMXBean().getUptime(),
        folder.toFile().getTotalSpace(),
        heap.getUsed(),
        Math.max(0, heap.getMax()),
        ProcessFigures.residentBytes().orElse(0),
        metrics.commands().totals(NodeFigures::kind));
  }

  /** Requests over HTTP are named http.RESOURCE.METHOD. */
  static Kind kind(String command) {
    if (CommandMetrics.isHttp(command)) {
      return command.endsWith(".get") || command.endsWith(".head") ? Kind.READ : Kind.WRITE;
    }
    return KINDS.getOrDefault(command, Kind.OTHER);
  }

  private static Map<String, Kind> kinds() {
    Map<String, Kind> kinds = new HashMap<>();
    for (Command command : CommandTable.rows()) {
      kinds.put(command.fullName(), kind(command));
      command.subcommands().forEach(one -> kinds.put(one.fullName(), kind(one)));
    }
    return Map.copyOf(kinds);
  }

  private static Kind kind(Command command) {
    return switch (command.access()) {
      case READ -> Kind.READ;
      case WRITE -> Kind.WRITE;
      case NONE -> Kind.OTHER;
    };
  }
}
