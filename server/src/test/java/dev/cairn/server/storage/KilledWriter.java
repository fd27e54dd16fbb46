// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.server.metrics.Metrics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A process that writes until it is killed, and prints what it was told to be durable. */
final class KilledWriter {
  static final int VALUE_BYTES_MAX = 2000;

  private KilledWriter() {}

  public static void main(String[] arguments) {
    RandomOperations operations =
        new RandomOperations(Long.parseLong(arguments[1]), VALUE_BYTES_MAX);
    StorageEngine engine =
        StorageEngine.open(
            new EngineConfig(1 << 20, 1 << 20, 64 << 10, 2),
            damage -> System.exit(1),
            new Metrics());
    PartitionFolder folder =
        PartitionFolder.open(engine, Path.of(arguments[0]), new PartitionIdentity("c", 0, 1));
    for (long index = Changes.applied(folder).index() + 1; ; index++) {
      operations.write(folder, index);
      if (index % 97 == 0) {
        folder.sync();
        folder.saveSnapshotMeta(Long.toString(index).getBytes(StandardCharsets.US_ASCII));
        System.out.println(index);
      }
    }
  }
}
