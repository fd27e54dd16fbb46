// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static org.assertj.core.api.Assertions.assertThat;

import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Random operations of three groups, beside a plain map each; reopened again and again. */
class SharedLogModelTest {
  private static final List<String> GROUPS = List.of("c1-p0", "c1-p1", "c1-meta");

  @Property(tries = 40)
  void behavesLikeAMap(@ForAll long seed, @ForAll @IntRange(min = 1, max = 120) int steps)
      throws IOException {
    Path folder = Files.createTempDirectory("cairn-log");
    try {
      run(new Random(seed), steps, folder.resolve("store.log"));
    } finally {
      LogFixture.delete(folder);
    }
  }

  private static void run(Random random, int steps, Path folder) throws IOException {
    Map<String, Model> models = new TreeMap<>();
    GROUPS.forEach(group -> models.put(group, new Model()));
    SharedLog log = LogFixture.open(folder);
    try {
      for (int step = 0; step < steps; step++) {
        String group = GROUPS.get(random.nextInt(GROUPS.size()));
        if (random.nextInt(6) == 0) {
          log.close();
          log = LogFixture.open(folder);
        } else {
          step(random, log, group, models.get(group));
        }
        for (Map.Entry<String, Model> each : models.entrySet()) {
          compare(log, each.getKey(), each.getValue());
        }
      }
    } finally {
      log.close();
    }
  }

  private static void step(Random random, SharedLog log, String group, Model model) {
    LogStorage storage = LogFixture.storage(log, group);
    switch (random.nextInt(12)) {
      case 0 -> {
        long first = model.first + random.nextInt(model.entries.size() + 5);
        assertThat(storage.truncatePrefix(first)).isTrue();
        model.truncatePrefix(first);
      }
      case 1 -> {
        long last = model.last() - random.nextInt(model.entries.size() + 1);
        assertThat(storage.truncateSuffix(last)).isTrue();
        model.entries.tailMap(last, false).clear();
      }
      case 2 -> {
        long next = model.first + random.nextInt(50);
        assertThat(storage.reset(next)).isTrue();
        model.entries.clear();
        model.first = next;
      }
      case 3 -> {
        model.term = random.nextInt(100);
        model.vote = random.nextBoolean() ? new PeerId("127.0.0.1", random.nextInt(9000)) : null;
        PeerId vote = model.vote == null ? PeerId.emptyPeer() : model.vote;
        assertThat(LogFixture.meta(log, group).setTermAndVotedFor(model.term, vote)).isTrue();
      }
      case 4 -> {
        long incarnation = 1L + random.nextInt(20);
        log.writeIncarnation(group, incarnation);
        if (incarnation != model.incarnation) {
          model.clear();
          model.incarnation = incarnation;
        }
      }
      case 5 -> {
        log.dropGroup(group);
        model.clear();
        model.incarnation = 0;
      }
      default -> append(random, storage, model);
    }
  }

  private static void append(Random random, LogStorage storage, Model model) {
    List<LogEntry> entries = new ArrayList<>();
    int count = 1 + random.nextInt(10);
    long next = model.last() + 1;
    for (int i = 0; i < count; i++) {
      entries.add(entry(random, next + i));
    }
    assertThat(storage.appendEntries(List.copyOf(entries))).isEqualTo(count);
    entries.forEach(entry -> model.entries.put(entry.getId().getIndex(), entry));
  }

  private static LogEntry entry(Random random, long index) {
    long term = 1L + random.nextInt(3);
    switch (random.nextInt(5)) {
      case 0:
        LogEntry configuration =
            LogFixture.configuration(index, term, "127.0.0.1:1", "127.0.0.1:2:7:90");
        if (random.nextBoolean()) {
          configuration.setOldPeers(List.of(new PeerId("127.0.0.1", 3)));
          configuration.setOldLearners(List.of(new PeerId("127.0.0.1", 4)));
        }
        return configuration;
      case 1:
        LogEntry noOp = new LogEntry(EntryType.ENTRY_TYPE_NO_OP);
        noOp.setId(new LogId(index, term));
        return noOp;
      default:
        byte[] data = new byte[random.nextInt(6_000)];
        random.nextBytes(data);
        return LogFixture.data(index, term, data);
    }
  }

  @SuppressWarnings("deprecation") // of the interface
  private static void compare(SharedLog log, String group, Model model) {
    ConfigurationManager configurations = new ConfigurationManager();
    LogStorage storage = LogFixture.storage(log, group, configurations);
    assertThat(storage.getFirstLogIndex()).isEqualTo(model.first).isEqualTo(log.firstIndex(group));
    assertThat(storage.getLastLogIndex()).isEqualTo(model.last()).isEqualTo(log.lastIndex(group));
    for (long index = model.first - 2; index <= model.last() + 2; index++) {
      LogEntry expected = model.entries.get(index);
      assertThat(storage.getEntry(index)).isEqualTo(expected);
      long term = expected == null ? 0 : expected.getId().getTerm();
      assertThat(storage.getTerm(index)).isEqualTo(term);
      assertThat(log.termAt(group, index).orElse(0)).isEqualTo(term);
    }
    RaftMetaStorage meta = LogFixture.meta(log, group);
    assertThat(meta.getTerm()).isEqualTo(model.term).isEqualTo(log.term(group));
    assertThat(meta.getVotedFor()).isEqualTo(model.vote == null ? PeerId.emptyPeer() : model.vote);
    assertThat(log.votedFor(group))
        .isEqualTo(Optional.ofNullable(model.vote).map(PeerId::toString));
    assertThat(log.incarnation(group)).isEqualTo(model.incarnation);
    LogEntry last =
        model.entries.values().stream()
            .filter(entry -> entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION)
            .reduce((before, after) -> after)
            .orElse(null);
    assertThat(configurations.getLastConfiguration().getId())
        .isEqualTo(last == null ? new LogId(0, 0) : last.getId());
    if (last != null) {
      assertThat(configurations.getLastConfiguration().getConf().listPeers())
          .isEqualTo(last.getPeers());
      assertThat(configurations.getLastConfiguration().getOldConf().isEmpty())
          .isEqualTo(last.getOldPeers() == null);
    }
    assertThat(log.damaged()).isFalse();
  }

  private static final class Model {
    private final TreeMap<Long, LogEntry> entries = new TreeMap<>();
    private long first = 1;
    private long term;
    private PeerId vote;
    private long incarnation;

    long last() {
      return entries.isEmpty() ? first - 1 : entries.lastKey();
    }

    void truncatePrefix(long kept) {
      entries.headMap(kept, false).clear();
      first = Math.max(first, kept);
    }

    void clear() {
      entries.clear();
      first = 1;
      term = 0;
      vote = null;
    }
  }
}
