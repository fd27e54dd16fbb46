// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.codec.v2.LogEntryV2CodecFactory;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Entries, folders and open storages for the tests of the log. */
final class LogFixture {
  /** No mark but the first and the last. */
  static final long NO_MARKS_MILLIS = 3_600_000;

  private LogFixture() {}

  static LogEntry data(long index, long term, byte[] data) {
    LogEntry entry = new LogEntry(EntryType.ENTRY_TYPE_DATA);
    entry.setId(new LogId(index, term));
    entry.setData(ByteBuffer.wrap(data));
    return entry;
  }

  static LogEntry data(long index) {
    return data(index, 1, ("entry " + index).getBytes(UTF_8));
  }

  static LogEntry configuration(long index, long term, String... peers) {
    LogEntry entry = new LogEntry(EntryType.ENTRY_TYPE_CONFIGURATION);
    entry.setId(new LogId(index, term));
    entry.setPeers(Stream.of(peers).map(PeerId::parsePeer).toList());
    return entry;
  }

  static LogStorage storage(SharedLog log, String group) {
    return storage(log, group, new ConfigurationManager());
  }

  static LogStorage storage(SharedLog log, String group, ConfigurationManager configurations) {
    LogStorageOptions options = new LogStorageOptions();
    options.setGroupId(group);
    options.setConfigurationManager(configurations);
    options.setLogEntryCodecFactory(LogEntryV2CodecFactory.getInstance());
    LogStorage storage = log.logStorage(group);
    if (!storage.init(options)) {
      throw new IllegalStateException("init refused");
    }
    return storage;
  }

  static RaftMetaStorage meta(SharedLog log, String group) {
    RaftMetaStorage meta = log.metaStorage(group);
    if (!meta.init(new RaftMetaStorageOptions())) {
      throw new IllegalStateException("init refused");
    }
    return meta;
  }

  static SharedLog open(Path folder) {
    try {
      return SharedLog.open(
          folder,
          damage -> {
            throw new AssertionError(damage);
          },
          new Metrics(),
          NO_MARKS_MILLIS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The log as a crash at this moment would leave it: the files as they are, none closed. */
  static Path crash(Path folder, Path copy) throws IOException {
    Path target = copy.resolve(folder.getFileName());
    Files.createDirectories(target);
    for (Path file : files(folder, "")) {
      if (!file.getFileName().toString().equals("LOCK")) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    Files.copy(DurableMark.file(folder), DurableMark.file(target));
    return target;
  }

  static List<Path> files(Path folder, String suffix) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(suffix)).sorted().toList();
    }
  }

  static Path largest(Path folder, String suffix) throws IOException {
    Path largest = null;
    for (Path file : files(folder, suffix)) {
      if (largest == null || Files.size(file) > Files.size(largest)) {
        largest = file;
      }
    }
    return largest;
  }

  static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
