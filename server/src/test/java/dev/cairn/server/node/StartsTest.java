// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.server.cluster.ClusterState;
import dev.cairn.server.cluster.Member;
import dev.cairn.server.cluster.MetaGroup;
import dev.cairn.server.node.Starts.Start;
import dev.cairn.server.node.Starts.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is known of a node's starts, and what is found out by that. */
class StartsTest {
  private static final String SELF = "0".repeat(40);
  private static final String OTHER = "1".repeat(40);
  private static final String STRANGER = "2".repeat(40);
  private static final Start FIRST = new Start(1, "a");
  private static final Start SECOND = new Start(2, "b");
  private static final Start THIRD = new Start(3, "c");

  @TempDir Path folder;
  private int ids;
  private Starts starts;

  @BeforeEach
  void begin() {
    starts = again();
  }

  private Starts again() {
    Starts begun = Starts.begin(folder, SELF, () -> "id" + ids++);
    begun.follow(ClusterState.founded("c".repeat(40), 2, 1, List.of(member(SELF), member(OTHER))));
    return begun;
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
        MetaGroup.FIRST_INCARNATION);
  }

  @Test
  void oneStartAfterTheOtherIsNoted() {
    assertThat(starts.note(OTHER, Start.NONE, FIRST)).isEqualTo(Verdict.NOTED);
    assertThat(starts.note(OTHER, FIRST, SECOND)).isEqualTo(Verdict.NOTED);
    assertThat(starts.note(OTHER, FIRST, SECOND)).as("told again").isEqualTo(Verdict.NOTED);
  }

  @Test
  void aStartThatWasMissedIsNoCopy() {
    assertThat(starts.note(OTHER, Start.NONE, FIRST)).isEqualTo(Verdict.NOTED);
    assertThat(starts.note(OTHER, SECOND, THIRD)).isEqualTo(Verdict.NOTED);
  }

  @Test
  void aCopyThatWasMadeBeforeTheLastStartIsOlder() {
    starts.note(OTHER, Start.NONE, FIRST);
    starts.note(OTHER, FIRST, SECOND);
    assertThat(starts.note(OTHER, FIRST, new Start(2, "another")))
        .as("the copy knows its start 1, and begins start 2 a second time")
        .isEqualTo(Verdict.OLDER);
    assertThat(starts.note(OTHER, SECOND, THIRD)).as("the folder itself").isEqualTo(Verdict.NOTED);
  }

  @Test
  void aCopyThatHasStartedElsewhereMeanwhileIsOlderToo() {
    starts.note(OTHER, Start.NONE, FIRST);
    starts.note(OTHER, FIRST, SECOND);
    assertThat(starts.note(OTHER, new Start(2, "another"), new Start(3, "third")))
        .isEqualTo(Verdict.OLDER);
  }

  @Test
  void aFolderThatHasForgottenItsStartsIsOlder() {
    starts.note(OTHER, Start.NONE, FIRST);
    assertThat(starts.note(OTHER, Start.NONE, new Start(1, "another"))).isEqualTo(Verdict.OLDER);
  }

  @Test
  void whatWasNotedIsKnownAfterARestart() {
    starts.note(OTHER, Start.NONE, FIRST);
    starts.note(OTHER, FIRST, SECOND);
    assertThat(again().note(OTHER, FIRST, new Start(2, "another"))).isEqualTo(Verdict.OLDER);
  }

  @Test
  void whoIsNoMemberIsNotNoted() throws IOException {
    assertThat(starts.note(STRANGER, Start.NONE, FIRST)).isEqualTo(Verdict.NOT_NOW);
    assertThat(Files.readString(folder.resolve(Starts.FILE))).doesNotContain(STRANGER);
  }

  @Test
  void whatCannotBeReadIsTakenForNoStartAndWhatCannotBeWrittenIsNotNoted() throws IOException {
    Files.writeString(folder.resolve(Starts.FILE), "{");
    Starts begun = again();
    assertThat(begun.note(OTHER, Start.NONE, FIRST)).isEqualTo(Verdict.NOTED);
    Files.createDirectory(folder.resolve(Starts.FILE + ".tmp"));
    assertThat(begun.note(OTHER, FIRST, SECOND)).isEqualTo(Verdict.NOT_NOW);
  }

  @Test
  void aNodeThatComesBackAsANewOneBeginsAnew() throws IOException {
    Starts.begin(folder, OTHER, () -> "new");
    assertThat(Files.readString(folder.resolve(Starts.FILE)))
        .contains("\"last\":{\"number\":1,\"id\":\"new\"}");
  }
}
