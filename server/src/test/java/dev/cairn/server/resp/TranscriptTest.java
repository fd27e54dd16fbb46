// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.resp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.protocol.Topology;
import dev.cairn.server.command.Command;
import dev.cairn.server.command.CommandTable;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Golden transcripts: each file in {@code src/test/resources/transcripts} is a {@link Transcript}
 * of a real server over a {@link FakeRouter} of six partitions.
 *
 * <p>After a change that is meant, run with {@code -Dcairn.rewrite=true} and read the diff.
 */
final class TranscriptTest {
  private static final boolean REWRITE = Boolean.getBoolean("cairn.rewrite");

  @TestFactory
  Stream<DynamicTest> transcripts() throws IOException {
    return Transcript.all().stream()
        .map(transcript -> DynamicTest.dynamicTest(transcript.name(), () -> play(transcript)));
  }

  private static void play(Transcript transcript) throws IOException {
    FakeRouter router = new FakeRouter(6, Runnable::run);
    if (transcript.name().startsWith("cluster-with-replica")) {
      router.topology = whereTheThirdNodeLeadsNothing(router.topology);
    }
    try (RespServer server = Transcript.serve(router, transcript.face());
        Transcript.Connection connection = new Transcript.Connection(server)) {
      // The bus ports that are announced may happen to be the same number.
      String played =
          transcript
              .play(connection)
              .replaceAll("(?<!@)\\b" + server.port() + "\\b", "PORT")
              .replaceAll(" addr=127.0.0.1:" + connection.port() + "\\b", " addr=127.0.0.1:MYPORT");
      if (REWRITE) {
        transcript.rewrite(played);
      } else {
        assertThat(played).isEqualTo(transcript.text());
      }
    }
  }

  @Test
  void everyCommandIsInATranscript() throws IOException {
    Set<String> said = new TreeSet<>();
    for (Transcript transcript : Transcript.all()) {
      for (String line : transcript.commands()) {
        String[] words = line.toLowerCase(Locale.ROOT).split(" ", 3);
        said.add(words[0]);
        said.add(words.length > 1 ? words[0] + " " + words[1] : words[0]);
      }
    }
    for (Command command : CommandTable.rows()) {
      assertThat(said).contains(command.name()).containsAll(command.aliases());
      for (Command subcommand : command.subcommands()) {
        assertThat(said).contains(command.name() + " " + subcommand.name());
      }
    }
  }

  /** The first node leads what the third one did. */
  private static Topology whereTheThirdNodeLeadsNothing(Topology topology) {
    List<Topology.Partition> partitions =
        topology.partitions().stream()
            .map(
                partition ->
                    partition.leaderId().equals(Optional.of(FakeRouter.NODE_2))
                        ? new Topology.Partition(
                            partition.index(),
                            partition.firstSlot(),
                            partition.lastSlot(),
                            partition.replicaIds(),
                            partition.witnessId(),
                            Optional.of(FakeRouter.NODE_0))
                        : partition)
            .toList();
    return new Topology(topology.clusterId(), topology.epoch(), topology.nodes(), partitions);
  }
}
