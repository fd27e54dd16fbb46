// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.MetaGroup;
import dev.cairn.server.node.StartNumbers.Start;
import dev.cairn.server.node.StartNumbers.Verdict;
import dev.cairn.server.peer.PeerRun;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is known of a node's starts, and what is found out by that. */
class StartNumbersTest {
  private static final String SELF = "0".repeat(40);
  private static final String OTHER = "1".repeat(40);
  private static final String STRANGER = "2".repeat(40);
  private static final Start FIRST = new Start(1, "a");
  private static final Start SECOND = new Start(2, "b");
  private static final Start THIRD = new Start(3, "c");
  private static final Start SECOND_OF_COPY = new Start(2, "of the copy");
  private static final Start THIRD_OF_COPY = new Start(3, "of the copy");

  @TempDir Path folder;
  private int ids;
  private StartNumbers starts;

  @BeforeEach
  void begin() {
    starts = again();
  }

  private StartNumbers again() {
    try {
      StartNumbers begun = StartNumbers.begin(folder, SELF, () -> "id" + ids++);
      begun.follow(cluster());
      return begun;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ClusterState cluster() {
    return ClusterState.founded("c".repeat(40), 2, 1, List.of(member(SELF), member(OTHER)));
  }

  private static Member member(String id) {
    int port = 5000 + id.charAt(0);
    return new Member(
        id,
        "127.0.0.1:" + port,
        "127.0.0.1",
        port,
        0,
        "127.0.0.1",
        port + 10_000,
        MetaGroup.FIRST_INCARNATION,
        1);
  }

  @Test
  void oneStartAfterTheOtherIsNoted() {
    assertThat(starts.note(OTHER, List.of(FIRST))).isEqualTo(Verdict.NOTED);
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND))).isEqualTo(Verdict.NOTED);
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND)))
        .as("told again")
        .isEqualTo(Verdict.NOTED);
  }

  @Test
  void startsThatWereMissedAreNoCopy() {
    assertThat(starts.note(OTHER, List.of(FIRST))).isEqualTo(Verdict.NOTED);
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND, THIRD))).isEqualTo(Verdict.NOTED);
    assertThat(starts.note(OTHER, List.of(new Start(70, "y"), new Start(71, "z"))))
        .as("more than are told")
        .isEqualTo(Verdict.NOTED);
  }

  @Test
  void aCopyThatWasMadeBeforeTheLastStartIsOlderHoweverOftenItStarts() {
    starts.note(OTHER, List.of(FIRST));
    starts.note(OTHER, List.of(FIRST, SECOND));
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND_OF_COPY))).isEqualTo(Verdict.OLDER);
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND_OF_COPY, THIRD_OF_COPY)))
        .isEqualTo(Verdict.OLDER);
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND, THIRD)))
        .as("the folder itself")
        .isEqualTo(Verdict.NOTED);
  }

  @Test
  void aCopyWhoseStartCouldNotBeWrittenIsOlderToo() {
    starts.note(OTHER, List.of(FIRST, SECOND));
    assertThat(starts.note(OTHER, List.of(FIRST))).isEqualTo(Verdict.OLDER);
  }

  @Test
  void aFolderThatHasForgottenItsStartsIsOlder() {
    starts.note(OTHER, List.of(FIRST));
    assertThat(starts.note(OTHER, List.of(new Start(1, "another")))).isEqualTo(Verdict.OLDER);
    assertThat(starts.note(OTHER, List.of())).isEqualTo(Verdict.OLDER);
  }

  @Test
  void whatWasNotedIsKnownAfterARestart() {
    starts.note(OTHER, List.of(FIRST, SECOND));
    assertThat(again().note(OTHER, List.of(FIRST, SECOND_OF_COPY))).isEqualTo(Verdict.OLDER);
  }

  @Test
  void whoIsClosedNotesNothing() throws IOException {
    starts.close();
    byte[] before = Files.readAllBytes(folder.resolve(StartNumbers.FILE));
    assertThat(starts.note(OTHER, List.of(FIRST))).isEqualTo(Verdict.NOT_NOW);
    assertThat(Files.readAllBytes(folder.resolve(StartNumbers.FILE))).isEqualTo(before);
  }

  @Test
  void theLatestStartsAreKeptAndNoMore() throws IOException {
    for (int i = 0; i < 70; i++) {
      again();
    }
    assertThat(Files.readString(folder.resolve(StartNumbers.FILE)))
        .contains("{\"number\":71,")
        .contains("{\"number\":8,")
        .doesNotContain("{\"number\":7,");
  }

  @Test
  void anotherFormatIsRefused() throws IOException {
    Files.writeString(folder.resolve(StartNumbers.FILE), "{\"format\":2,\"more\":1}");
    assertThatThrownBy(this::again)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("format 2");
  }

  @Test
  void whoIsOverIsWhoeverIsNotLaterThanTheLastThatWasNoted() {
    PeerRun copy = new PeerRun(OTHER, 2, "of the copy");
    assertThat(starts.isOver(copy)).as("of whom nothing is known").isFalse();
    starts.note(OTHER, List.of(FIRST, SECOND));
    assertThat(starts.isOver(copy)).isTrue();
    assertThat(starts.isOver(new PeerRun(OTHER, 1, "a"))).isTrue();
    assertThat(starts.isOver(new PeerRun(OTHER, 2, "b"))).as("itself").isFalse();
    assertThat(starts.isOver(new PeerRun(OTHER, 3, "c"))).as("a later one").isFalse();
  }

  @Test
  void twoThatRunAtOnceAreNoOlderCopies() {
    starts.note(OTHER, List.of(FIRST));
    starts.watch((node, startId) -> !startId.equals("a"), () -> {});
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND))).isEqualTo(Verdict.RUNS);
    assertThat(starts.note(OTHER, List.of(new Start(1, "x")))).isEqualTo(Verdict.RUNS);
    assertThat(starts.note(OTHER, List.of(FIRST))).isEqualTo(Verdict.NOTED);
    starts.watch((node, startId) -> false, () -> {});
    assertThat(starts.note(OTHER, List.of(FIRST, SECOND)))
        .as("once the other is gone")
        .isEqualTo(Verdict.NOTED);
  }

  @Test
  void whoIsNoMemberIsNotNoted() throws IOException {
    assertThat(starts.note(STRANGER, List.of(FIRST))).isEqualTo(Verdict.NOT_NOW);
    assertThat(Files.readString(folder.resolve(StartNumbers.FILE))).doesNotContain(STRANGER);
  }

  @Test
  void whatCannotBeReadIsTakenForNoStartAndWhatCannotBeWrittenIsNotNoted() throws IOException {
    Files.writeString(folder.resolve(StartNumbers.FILE), "{");
    StartNumbers begun = again();
    assertThat(begun.note(OTHER, List.of(FIRST))).isEqualTo(Verdict.NOTED);
    Files.createDirectory(folder.resolve(StartNumbers.FILE + ".tmp"));
    assertThat(begun.note(OTHER, List.of(FIRST, SECOND))).isEqualTo(Verdict.NOT_NOW);
  }

  @Test
  void aNodeThatComesBackAsANewOneBeginsAnew() throws IOException {
    StartNumbers.begin(folder, OTHER, () -> "new");
    assertThat(Files.readString(folder.resolve(StartNumbers.FILE)))
        .contains("\"own\":[{\"number\":1,\"id\":\"new\"}]");
  }
}
