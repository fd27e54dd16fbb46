// SPDX-License-Identifier: Apache-2.0
package dev.cairn.state;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What memory says of a row, and what asking costs. */
class LayersTest {
  private static final int VALUE_BYTES = 1 << 20;

  private final Layers layers = new Layers(new SharedView(new TwinDatabase().view()), 1);

  @Test
  void whetherARowIsKnownIsAskedWithoutACopyOfItsValue() {
    byte[] row = Spaces.user("large".getBytes(StandardCharsets.UTF_8));
    layers.put(row, new byte[VALUE_BYTES]);
    layers.knows(row); // whatever the JVM makes for the first call is made

    assertThat(allocatedBy(() -> layers.knows(row))).isLessThan(VALUE_BYTES / 8);
    assertThat(allocatedBy(() -> layers.inMemory(row) != null)).isGreaterThan(VALUE_BYTES);
  }

  @Test
  void whatIsRemovedIsKnown() {
    byte[] row = Spaces.user(new byte[] {1});
    layers.remove(row);

    assertThat(layers.knows(row)).isTrue();
    assertThat(layers.inMemory(row)).isSameAs(Table.REMOVED);
  }

  /** Bytes that this thread allocated to find that a row is known. */
  private static long allocatedBy(Supplier<Boolean> asked) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    boolean known = asked.get();
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(known).isTrue();
    return allocated;
  }
}
