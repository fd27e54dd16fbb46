// SPDX-License-Identifier: Apache-2.0
package dev.cairn.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Shows that the simulator finds mistakes: each of these is planted, one at a time, and must be
 * found within 500 seeds.
 *
 * <p>{@code planted-bugs.txt} remembers the seed that found each, which is tried first: it only
 * saves time. {@code -Dcairn.transcripts.rewrite=true} writes it anew.
 */
@Tag("nightly")
class PlantedBugsTest {
  private static final Path SOURCES = Path.of("src/main/java/dev/cairn/consensus");
  private static final int SEEDS = 500;
  private static final int STEPS = 20_000;

  /**
   * A mistake.
   *
   * @param name what the group does wrongly
   * @param file of the module's sources
   * @param original what stands there, once
   * @param planted what is put in its place
   */
  private record Bug(String name, String file, String original, String planted) {}

  private static final List<Bug> BUGS =
      List.of(
          new Bug(
              "a voter votes twice in a term",
              "Election.java",
              "return state.votedFor() == null ? state.leader() == null : state.votedFor().equals(candidate);",
              "return true;"),
          new Bug(
              "an entry of an earlier term is committed by counting",
              "Leadership.java",
              "reached > state.commit() && state.log.termAt(reached) == state.term()",
              "reached > state.commit()"),
          new Bug(
              "an entry is acknowledged before it is durable",
              "Following.java",
              "met > log.durable() ? log.coveringSequence() : 0",
              "0"),
          new Bug(
              "a vote leaves before it is durable",
              "GroupState.java",
              "Math.max(sequence, hardSequence)",
              "sequence == hardSequence ? 0 : sequence"),
          new Bug(
              "a term is not written down",
              "GroupState.java",
              "      votedFor = null;\n      writeHardState();",
              "      votedFor = null;"),
          new Bug(
              "a conflicting entry is kept",
              "Following.java",
              "log.termAt(entry.index()) == entry.term()",
              "entry.index() <= log.last()"),
          new Bug(
              "a read is answered before a majority has answered",
              "Reads.java",
              "open && answered >= round",
              "open"),
          new Bug(
              "a read is answered by a state that is behind",
              "Reads.java",
              "each.index() <= applied",
              "each.index() >= 0"),
          new Bug(
              "a new leader answers reads before it has committed anything",
              "Leadership.java",
              "state.commit() >= firstOfTerm && reads.ask",
              "reads.ask"),
          new Bug(
              "an election is won by one half of a joint configuration",
              "Configuration.java",
              "majorityOf(voters, passes) && (outgoing.isEmpty() || majorityOf(outgoing, passes))",
              "majorityOf(voters, passes)"),
          new Bug(
              "an entry is committed by one half of a joint configuration",
              "Configuration.java",
              ": Math.min(byVoters, reachedByMajorityOf(outgoing, reached))",
              ": byVoters"),
          new Bug(
              "learners count",
              "Configuration.java",
              "long byVoters = reachedByMajorityOf(voters, reached);",
              "List<Member> all = new ArrayList<>(voters);\n    learners.forEach(peer -> all.add(new Member(peer, Role.REPLICA)));\n    long byVoters = reachedByMajorityOf(all, reached);"),
          new Bug(
              "whom the leader sends is elected though it lags",
              "Election.java",
              "boolean yes = mayVoteFor(vote.from()) && hasAllOfMine(vote);",
              "boolean yes = mayVoteFor(vote.from()) && (vote.ballot() == Ballot.TRANSFER || hasAllOfMine(vote));"),
          new Bug(
              "the longer log wins, whatever its terms",
              "LogView.java",
              "lastTerm > lastTerm() || (lastTerm == lastTerm() && lastIndex >= last())",
              "lastIndex >= last()"),
          new Bug(
              "a witness drops what a replica needs",
              "Group.java",
              "? Math.min(following.keepFrom() - 1, state.applicable())",
              "? state.applicable()"),
          new Bug(
              "a witness lets go of what is not committed",
              "Group.java",
              "may ? letGo(Math.min(upTo, state.applicable()))",
              "may ? letGo(Math.min(upTo, state.log.durable()))"),
          new Bug(
              "a replica fetches a snapshot of a witness",
              "Following.java",
              "!state.isWitness() && state.isWitness(install.from())",
              "state.term() < 0"),
          new Bug(
              "a replica that refuses a snapshot says that it has it",
              "Following.java",
              "      installed(0);\n    } else if (!installing) {",
              "      installed(reference.index());\n    } else if (!installing) {"),
          new Bug(
              "a replica of which nothing is known keeps nothing at a witness",
              "Leadership.java",
              "      least = Math.min(least, flushed);",
              "      least = flushed == 0 ? least : Math.min(least, flushed);"),
          new Bug(
              "the end of a write counts for an entry that was appended again",
              "LogView.java",
              "      write.last = Math.min(write.last, index - 1);",
              "      assert write.last >= 0;"),
          new Bug(
              "a truncated entry stays durable",
              "LogView.java",
              "    durable = Math.min(durable, index - 1);\n",
              ""),
          new Bug(
              "the fence is ignored",
              "Leadership.java",
              "target.epoch() < present.epoch()",
              "target.epoch() < 0"),
          new Bug(
              "a beat commits what the follower does not share",
              "Leadership.java",
              "Math.min(state.commit(), peer.match())",
              "state.commit()"),
          new Bug(
              "an append commits more than it has matched",
              "Following.java",
              "Math.min(append.commit(), met)",
              "append.commit()"),
          new Bug(
              "a joint configuration is settled before it is committed",
              "Leadership.java",
              "state.log.configurationIndex() > state.commit()\n        || ",
              ""),
          new Bug(
              "the old half goes while the new one needs it",
              "Leadership.java",
              "return least >= witnessBase;",
              "return true;"),
          new Bug(
              "a leader counts its own copy before it is durable",
              "Leadership.java",
              "peer.equals(state.self) ? state.log.durable() :",
              "peer.equals(state.self) ? state.log.last() :"),
          new Bug(
              "what was lost on the way is never sent again",
              "Progress.java",
              "return mode == Mode.STREAM && match < last && next > match + 1;",
              "return false;"),
          new Bug(
              "a lost offer of a snapshot is never repeated",
              "Leadership.java",
              "peer.mode() == Progress.Mode.INSTALL && !reply.installing()",
              "reply.term() < 0"),
          new Bug(
              "who alone has the last configuration does not stand",
              "GroupState.java",
              "log.namesVoterSince(commit, self)",
              "configuration().votes(self)"),
          new Bug(
              "a log forgets that a snapshot was installed",
              "Group.java",
              "log.termAt(data.index()) != data.term() && data.index() > log.base()",
              "data.index() < 0"),
          new Bug(
              "a probe below the log's beginning never ends",
              "Leadership.java",
              "peer.next() <= state.log.base()",
              "peer.next() < 0"),
          new Bug(
              "a read joins a question that was asked before it came",
              "Reads.java",
              "    unasked.add(token);",
              "    (open ? asked : unasked).add(token);"),
          new Bug(
              "a truncation leaves the configuration of a lost entry",
              "LogView.java",
              "    configurations.truncateFrom(index);\n",
              ""),
          new Bug(
              "a replica that is far behind begins to vote",
              "Leadership.java",
              "<= state.settings.promotionLagMax()",
              "<= Long.MAX_VALUE"),
          new Bug(
              "a change is done before all voters have it",
              "Leadership.java",
              ".allMatch(member -> matchOf(member.peer()) >= index)",
              ".anyMatch(member -> matchOf(member.peer()) >= index)"),
          new Bug(
              "nobody finishes a joint configuration that another leader began",
              "Leadership.java",
              "if (mayAppendSettled()) {",
              "if (mayAppendSettled() && state.log.configurationIndex() >= firstOfTerm) {"),
          new Bug(
              "a question of an earlier term confirms reads",
              "Shard.java",
              "      at.asked = 0; // questions are counted anew in each term\n",
              "      at.ledTerm = term;\n"),
          new Bug(
              "who sleeps follows any leader",
              "Shard.java",
              "} else if (!at.asleep || !at.group.follows(led.leader(), led.term())) {",
              "} else if (!at.asleep) {"),
          new Bug(
              "an append counts as durable when the one before it is",
              "Shard.java",
              "queued.peekFirst().append() <= append",
              "queued.peekFirst().append() <= append + 1"));

  private static final Path SEEDS_FILE = Path.of("src/test/resources/planted-bugs.txt");
  private static final boolean REWRITE = Boolean.getBoolean("cairn.transcripts.rewrite");
  private static final Map<String, Integer> FOUND_BY = new LinkedHashMap<>();

  @BeforeAll
  static void readSeeds() throws IOException {
    for (String line : REWRITE ? List.<String>of() : Files.readAllLines(SEEDS_FILE)) {
      int space = line.indexOf(' ');
      FOUND_BY.put(line.substring(space + 1), Integer.valueOf(line.substring(0, space)));
    }
  }

  @AfterAll
  static void writeSeeds() throws IOException {
    if (REWRITE) {
      List<String> lines = new ArrayList<>();
      FOUND_BY.forEach((name, seed) -> lines.add(seed + " " + name));
      Files.write(SEEDS_FILE, lines);
    }
  }

  @TestFactory
  Stream<DynamicTest> eachIsFound() {
    return BUGS.stream().map(bug -> DynamicTest.dynamicTest(bug.name(), () -> isFound(bug)));
  }

  private static void isFound(Bug bug) throws Exception {
    ClassLoader classes = MutatedClasses.with(SOURCES, bug.file(), bug.original(), bug.planted());
    Method failureOf =
        classes
            .loadClass("dev.cairn.consensus.simulation.Simulation")
            .getMethod("failureOf", long.class, int.class);
    int first = FOUND_BY.getOrDefault(bug.name(), 1);
    Object failure = failureOf.invoke(null, first, STEPS);
    for (int seed = 1; failure == null && seed <= SEEDS; seed++) {
      failure = failureOf.invoke(null, seed, STEPS);
      FOUND_BY.put(bug.name(), seed);
    }
    FOUND_BY.putIfAbsent(bug.name(), first);
    assertThat(failure).as("%s, within %d seeds", bug.name(), SEEDS).isNotNull();
  }
}
