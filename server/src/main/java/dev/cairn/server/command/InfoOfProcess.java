// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import dev.cairn.server.metrics.Metric;
import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.metrics.ProcessFigures;
import dev.cairn.server.metrics.Samples;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What INFO says of the process: its memory and its processor time. */
final class InfoOfProcess {
  private static final String UNITS = "BKMGTPE";
  private static final int KILO = 1024;

  private InfoOfProcess() {}

  /**
   * Redis' allocator is the JVM's heap here: allocated is what objects take, with those that the
   * next collection will find unused; active is what the heap has of the machine.
   */
  static Map<String, Object> memory(Metrics metrics) {
    MemoryUsage heap = ProcessFigures.heap();
    Samples.Memory memory = metrics.samples().memory();
    long used = memory.used();
    long data = memory.data();
    Map<String, Object> lines = new LinkedHashMap<>();
    bytes(lines, "used_memory", used);
    ProcessFigures.residentBytes().ifPresent(rss -> bytes(lines, "used_memory_rss", rss));
    bytes(lines, "used_memory_peak", memory.peak());
    lines.put("used_memory_peak_perc", percent(used, memory.peak()));
    lines.put("used_memory_overhead", used - data);
    lines.put("used_memory_startup", memory.start());
    lines.put("used_memory_dataset", data);
    lines.put("used_memory_dataset_perc", percent(data, used));
    lines.put("allocator_allocated", heap.getUsed());
    lines.put("allocator_active", heap.getCommitted());
    ProcessFigures.machineBytes().ifPresent(all -> bytes(lines, "total_system_memory", all));
    bytes(lines, "maxmemory", 0);
    lines.put("maxmemory_policy", "noeviction");
    lines.put("allocator_frag_ratio", ratio(heap.getCommitted(), heap.getUsed()));
    lines.put("allocator_frag_bytes", heap.getCommitted() - heap.getUsed());
    ProcessFigures.residentBytes()
        .ifPresent(
            rss -> {
              lines.put("mem_fragmentation_ratio", ratio(rss, used));
              lines.put("mem_fragmentation_bytes", rss - used);
            });
    long ofClients = (long) (metrics.sum(Metric.REQUEST_BYTES) + metrics.sum(Metric.REPLY_BYTES));
    lines.put("mem_clients_slaves", (long) metrics.value(Metric.PEER_UNANSWERED_BYTES));
    lines.put("mem_clients_normal", ofClients);
    lines.put("mem_allocator", "jvm-" + collector());
    return lines;
  }

  /** The main thread of Redis, which serves clients, is the event loops of the port here. */
  static Map<String, Object> processor(NodeFacts.Loops loops) {
    Map<String, Object> lines = new LinkedHashMap<>();
    ProcessFigures.processorSeconds()
        .ifPresent(
            seconds -> {
              lines.put("used_cpu_sys", seconds(seconds.system()));
              lines.put("used_cpu_user", seconds(seconds.user()));
            });
    ProcessFigures.ProcessorSeconds ofLoops = loops.processorSeconds().get();
    lines.put("used_cpu_sys_main_thread", seconds(ofLoops.system()));
    lines.put("used_cpu_user_main_thread", seconds(ofLoops.user()));
    return lines;
  }

  private static String seconds(double value) {
    return String.format(Locale.ROOT, "%.6f", value);
  }

  private static String collector() {
    return ManagementFactory.getGarbageCollectorMXBeans().get(0).getName().replace(' ', '-');
  }

  private static void bytes(Map<String, Object> lines, String name, long value) {
    lines.put(name, value);
    lines.put(name + "_human", human(value));
  }

  /** As Redis writes sizes: {@code 512B}, {@code 1.50K}. */
  static String human(long bytes) {
    int unit = 0;
    double value = bytes;
    while (value >= KILO && unit < UNITS.length() - 1) {
      value /= KILO;
      unit++;
    }
    return unit == 0
        ? bytes + "B"
        : String.format(Locale.ROOT, "%.2f%c", value, UNITS.charAt(unit));
  }

  private static String percent(long part, long whole) {
    return String.format(Locale.ROOT, "%.2f%%", whole == 0 ? 0 : 100.0 * part / whole);
  }

  private static String ratio(long one, long other) {
    return String.format(Locale.ROOT, "%.2f", other == 0 ? 0 : (double) one / other);
  }
}
