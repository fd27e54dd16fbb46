// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Role;
import dev.cairn.consensus.SnapshotReference;
import dev.cairn.replication.Codec;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.Proposal;
import dev.cairn.server.raft.SnapshotHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a state machine is told around a local fault and its end. */
class MachineTest {
  private static final SnapshotReference START = new SnapshotReference(0, 0, Configuration.NONE, 0);
  private static final Peer OTHER = new Peer("other", 1);

  @TempDir Path temporary;
  private final List<String> told = new ArrayList<>();
  private final List<String> answers = new ArrayList<>();
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private final Listener listener = new Listener();
  private final Host host = new Host();
  private final Machine machine =
      new Machine(
          "cairn-test-p0",
          tasks::addLast,
          listener,
          Optional.of(host),
          START,
          () -> answers.add("left"));

  @Test
  void afterAFaultTheListenerIsToldThatAndNothingElse() {
    machine.fail(new IOException("a disk"));
    machine.leads(3);
    machine.leadsNoMore();
    machine.follows(OTHER, 4);
    machine.followsNobody();
    machine.save(saved -> answers.add("saved"), why -> answers.add("not saved: " + why.get()));
    machine.apply(
        List.of(entry(1), entry(2)),
        List.of(Optional.of(new Proposed("1")), Optional.empty()),
        () -> answers.add("applied"));
    runAll();
    assertThat(told).containsExactly("failed: a disk");
    assertThat(answers).containsExactly("left", "not saved: the group has stopped", "unknown 1");
  }

  @Test
  void whatWasGivenBeforeAFaultIsNotToldBehindIt() {
    machine.leads(3);
    machine.fail(new IOException("a disk"));
    runAll();
    assertThat(told).containsExactly("failed: a disk");
  }

  @Test
  void aFaultInTheMiddleOfARunLeavesNoProposalUnanswered() {
    listener.failsAt = 2;
    machine.apply(
        List.of(entry(1), entry(2), entry(3)),
        List.of(
            Optional.of(new Proposed("1")),
            Optional.of(new Proposed("2")),
            Optional.of(new Proposed("3"))),
        () -> answers.add("applied"));
    runAll();
    assertThat(told).containsExactly("apply 1", "apply 2", "failed: at 2");
    assertThat(answers).containsExactly("left", "unknown 3"); // 1 and 2 are the listener's
    assertThat(machine.appliedIndex()).isZero();
  }

  @Test
  void aListenerThatThrowsWhateverItIsToldHasFailed() {
    listener.failsToLead = true;
    machine.leads(3);
    machine.leadsNoMore();
    runAll();
    assertThat(told).containsExactly("leads 3", "failed: cannot lead");
  }

  @Test
  void eachEntryIsToldInItsPlace() {
    Configuration joint =
        new Configuration(0, List.of(member("a"), member("c")), List.of(member("a")), List.of());
    machine.apply(
        List.of(
            new dev.cairn.consensus.Entry(1, 3, null, null),
            entry(2),
            new dev.cairn.consensus.Entry(3, 4, null, joint)),
        List.of(Optional.empty(), Optional.empty(), Optional.empty()),
        () -> answers.add("applied"));
    runAll();
    assertThat(told)
        .containsExactly("pass 1 of 3", "apply 2", "configuration 3 of 4: [a, a,c, ]", "applied");
    assertThat(answers).containsExactly("applied");
  }

  private static Member member(String node) {
    return new Member(new dev.cairn.consensus.Peer(node, 1), Role.REPLICA);
  }

  @Test
  void metaThatCannotBeWrittenIsNoSnapshot() {
    host.metaFails = true;
    machine.save(saved -> answers.add("saved"), why -> answers.add("done: " + why));
    runAll();
    assertThat(answers).containsExactly("left", "done: Optional[java.io.IOException: no meta]");
    assertThat(told).containsExactly("save", "failed: no meta");
  }

  @Test
  void dataThatIsSavedBehindAFaultIsNoSnapshot() {
    listener.savesLater = true;
    machine.save(saved -> answers.add("saved"), why -> answers.add("done: " + why));
    runAll();
    machine.fail(new IOException("a disk"));
    listener.saved.accept(Optional.empty());
    runAll();
    assertThat(answers).containsExactly("left", "done: Optional[the group has stopped]");
    assertThat(host.meta).isNull();
  }

  @Test
  void aSaveIsAnsweredOnce() {
    listener.failsBehindSaved = true;
    machine.save(saved -> answers.add("saved"), why -> answers.add("done: " + why));
    runAll();
    assertThat(answers).containsExactly("saved", "done: Optional.empty", "left");
  }

  @Test
  void aClosedMachineTellsItsListenerNothing() {
    machine.leads(3);
    machine.close(() -> answers.add("closed"));
    runAll();
    machine.leadsNoMore();
    machine.fail(new IOException("late"));
    machine.save(saved -> answers.add("saved"), why -> answers.add("not saved"));
    runAll();
    assertThat(told).containsExactly("leads 3");
    assertThat(answers).containsExactly("closed", "not saved");
  }

  @Test
  void aCopyThatComesBehindAFaultOrTheEndIsDeleted() throws IOException {
    Path first = incoming("one");
    machine.fail(new IOException("a disk"));
    machine.install(at(9), new CopyFetch.Fetched(meta(9), first), () -> answers.add("installed"));
    runAll();
    Path second = incoming("two");
    machine.close(() -> {});
    machine.install(at(9), new CopyFetch.Fetched(meta(9), second), () -> answers.add("installed"));
    runAll();
    assertThat(told).containsExactly("failed: a disk");
    assertThat(answers).doesNotContain("installed");
    assertThat(first).doesNotExist();
    assertThat(second).doesNotExist();
  }

  @Test
  void nothingIsLeftOfACopyThatIsInPlace() throws IOException {
    Path folder = incoming("one");
    machine.install(at(9), new CopyFetch.Fetched(meta(9), folder), () -> answers.add("installed"));
    runAll();
    assertThat(told).containsExactly("load 9");
    assertThat(answers).containsExactly("installed");
    assertThat(machine.appliedIndex()).isEqualTo(9);
    assertThat(folder).doesNotExist();
  }

  // ---- Helpers ----

  private void runAll() {
    while (!tasks.isEmpty()) {
      tasks.pollFirst().run();
    }
  }

  private static dev.cairn.consensus.Entry entry(long index) {
    return new dev.cairn.consensus.Entry(index, 1, "x".getBytes(StandardCharsets.UTF_8), null);
  }

  private static SnapshotReference at(long index) {
    return new SnapshotReference(index, 1, Configuration.NONE, 0);
  }

  private static byte[] meta(long index) {
    return Codec.bytesOf(at(index));
  }

  private Path incoming(String name) throws IOException {
    return Files.createDirectory(temporary.resolve(name));
  }

  private final class Proposed implements Proposal {
    private final String name;

    Proposed(String name) {
      this.name = name;
    }

    @Override
    public void refused(String reason) {
      answers.add("refused " + name);
    }

    @Override
    public void unknown(String reason) {
      answers.add("unknown " + name);
    }
  }

  /** Writes down what it is told. */
  private final class Listener implements GroupListener {
    long failsAt;
    boolean failsToLead;
    boolean savesLater;
    boolean failsBehindSaved;
    Consumer<Optional<String>> saved;

    @Override
    public void apply(Entry entry) throws IOException {
      told.add("apply " + entry.index());
      if (entry.index() == failsAt) {
        throw new IOException("at " + failsAt);
      }
    }

    @Override
    public void applied() {
      told.add("applied");
    }

    @Override
    public void leaderStarted(long term) {
      told.add("leads " + term);
      if (failsToLead) {
        throw new IllegalStateException("cannot lead");
      }
    }

    @Override
    public void leaderStopped() {
      told.add("leads no more");
    }

    @Override
    public void followingStarted(Peer leader, long term) {
      told.add("follows " + leader);
    }

    @Override
    public void followingStopped() {
      told.add("follows nobody");
    }

    @Override
    public void passed(long index, long term) {
      told.add("pass " + index + " of " + term);
    }

    @Override
    public void configurationCommitted(GroupListener.Configuration now) {
      told.add("configuration " + now.index() + " of " + now.term() + ": " + names(now));
    }

    private static List<String> names(GroupListener.Configuration now) {
      return Stream.of(now.outgoing(), now.voters(), now.learners())
          .map(members -> members.stream().map(Peer::nodeId).collect(Collectors.joining(",")))
          .toList();
    }

    @Override
    public void save(SnapshotPoint point, Consumer<Optional<String>> done) {
      told.add("save");
      saved = done;
      if (!savesLater) {
        done.accept(Optional.empty());
      }
      if (failsBehindSaved) {
        throw new IllegalStateException("behind it");
      }
    }

    @Override
    public boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) {
      told.add("load " + point.index());
      return true;
    }

    @Override
    public void failed(Throwable cause) {
      told.add("failed: " + cause.getMessage());
    }
  }

  /** Has nothing but folders. */
  private static final class Host implements SnapshotHost {
    boolean metaFails;
    byte[] meta;

    @Override
    public Optional<byte[]> durableMeta() {
      return Optional.empty();
    }

    @Override
    public void saveMeta(byte[] saved) throws IOException {
      if (metaFails) {
        throw new IOException("no meta");
      }
      meta = saved;
    }

    @Override
    public Path checkpoint() {
      throw new IllegalStateException("nobody asks for one");
    }

    @Override
    public void deleteCheckpoint(Path checkpoint) {}

    @Override
    public Path newIncoming() {
      throw new IllegalStateException("nobody asks for one");
    }

    @Override
    public void deleteIncoming(Path incoming) throws IOException {
      Files.deleteIfExists(incoming);
    }

    @Override
    public Row row() {
      return new Row(0, 0, 0);
    }
  }
}
