// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.cluster.NodeReport.PartitionReport;
import dev.cairn.server.cluster.NodeReport.Room;
import dev.cairn.server.metrics.CommandMetrics;
import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class NodeReportTest {
  @Property(tries = 100)
  void reportTravelsWholeOrNotAtAll(@ForAll("reports") NodeReport report) throws IOException {
    byte[] bytes = report.encode();
    assertThat(NodeReport.decode(bytes)).isEqualTo(report);
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> NodeReport.decode(cut)).isInstanceOf(IOException.class);
    }
    bytes[0]++;
    assertThatThrownBy(() -> NodeReport.decode(bytes)).hasMessageContaining("format 9");
  }

  @Provide
  Arbitrary<NodeReport> reports() {
    Arbitrary<Long> longs = Arbitraries.longs();
    Arbitrary<PartitionReport> partitions =
        Combinators.combine(
                Arbitraries.integers(),
                Arbitraries.integers(),
                Arbitraries.of(NodeReport.Status.values()),
                longs,
                longs,
                longs,
                longs,
                longs)
            .as(
                (index, incarnation, status, term, applied, durable, last, bytes) ->
                    new PartitionReport(
                        index,
                        incarnation,
                        status,
                        term,
                        applied,
                        durable,
                        last,
                        bytes,
                        index % 2 == 0)); // as random as the index, and no ninth to combine
    Arbitrary<String> names = Arbitraries.strings().ofMaxLength(12);
    Arbitrary<NodeReport.Room> rooms = Combinators.combine(longs, longs).as(NodeReport.Room::new);
    Arbitrary<Integer> ports = Arbitraries.integers().between(0, 65_535);
    Arbitrary<Announced> announced = Combinators.combine(names, ports, ports).as(Announced::new);
    return Combinators.combine(
            names,
            names,
            longs,
            Arbitraries.of(true, false),
            announced,
            rooms,
            figures(longs),
            partitions.list().ofMaxSize(3))
        .as(
            (cluster, node, wall, stopping, at, room, figures, list) ->
                new NodeReport(
                    cluster,
                    node,
                    "v" + node,
                    new NodeReport.Known(~wall, wall / 2, protection(wall, node)),
                    wall,
                    stopping,
                    at,
                    room,
                    figures,
                    stopping ? Set.of(cluster, node + "1") : Set.of(), // no ninth to combine
                    list));
  }

  /** As random as what it is made of. */
  private static NodeProtection protection(long number, String text) {
    return new NodeProtection(
        text.isEmpty() ? Optional.empty() : Optional.of(text),
        number % 2 == 0 ? OptionalLong.empty() : OptionalLong.of(number),
        text.isEmpty() ? List.of() : List.of(text, "b" + text),
        new NodeProtection.Watch(number, number % 3 == 0));
  }

  private static Arbitrary<NodeReport.Figures> figures(Arbitrary<Long> longs) {
    Arbitrary<List<CommandMetrics.Bucket>> within =
        Combinators.combine(longs, longs).as(CommandMetrics.Bucket::new).list().ofMaxSize(64);
    Arbitrary<CommandMetrics.Totals> totals =
        Combinators.combine(longs, longs, longs, within).as(CommandMetrics.Totals::new);
    return Combinators.combine(longs, longs, longs, longs, longs, totals)
        .as(NodeReport.Figures::new);
  }

  @Test
  void moreBucketsThanThereMayBeAreRefused() {
    CommandMetrics.Bucket bucket = new CommandMetrics.Bucket(1, 1);
    NodeReport.Figures figures =
        new NodeReport.Figures(
            1, 1, 1, 1, 1, new CommandMetrics.Totals(1, 1, 1, Collections.nCopies(65, bucket)));
    NodeReport report =
        new NodeReport(
            "c",
            "n",
            "v",
            new NodeReport.Known(1, 1, NodeProtection.NONE),
            1,
            false,
            new Announced("h", 1, 1),
            Room.ENOUGH,
            figures,
            Set.of(),
            List.of());
    assertThatThrownBy(() -> NodeReport.decode(report.encode()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("65 buckets");
  }
}
