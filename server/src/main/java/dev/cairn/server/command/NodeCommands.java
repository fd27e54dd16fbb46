// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.command;

import static dev.cairn.server.command.Replies.entry;
import static dev.cairn.server.command.Row.plain;

import dev.cairn.protocol.RespValue;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.List;

/** What tools that know Redis ask a node, and what a node has to say to that. */
final class NodeCommands {
  static final List<Row.Written> ROWS =
      Row.group(
          "server",
          plain(
                  "LASTSAVE",
                  "1.0.0",
                  "Returns when the node started, seconds since 1970: every write is on disk when it"
                      + " is answered, and there is no other saving.",
                  call -> call.reply(new RespValue.Int(call.port().facts().startedMillis() / 1000)))
              .with(Command.Trait.ADMIN),
          Row.container(
              "MODULE",
              "4.0.0",
              "There are no modules.",
              plain(
                      "MODULE LIST",
                      "4.0.0",
                      "Returns an empty list.",
                      call -> call.reply(RespValue.array()))
                  .with(Command.Trait.ADMIN)));

  private NodeCommands() {}

  /** Of Redis' fields those that mean something here: of the heap, and of what clients hold. */
  static void memoryStats(Call call) {
    MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    long peak =
        Math.max(
            heap.getUsed(),
            ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .map(MemoryPoolMXBean::getPeakUsage)
                .mapToLong(MemoryUsage::getUsed)
                .sum());
    long clients = call.port().clients().open().stream().mapToLong(ClientState::heldBytes).sum();
    call.reply(
        new RespValue.Dictionary(
            List.of(
                entry("peak.allocated", new RespValue.Int(peak)),
                entry("total.allocated", new RespValue.Int(heap.getUsed())),
                entry("clients.normal", new RespValue.Int(clients)),
                entry("peak.percentage", new RespValue.Decimal(100.0 * heap.getUsed() / peak)),
                entry("allocator.allocated", new RespValue.Int(heap.getUsed())),
                entry("allocator.active", new RespValue.Int(heap.getCommitted())))));
  }
}
