// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** What a log holds, in the plainest form: maps, and no file. */
final class Model {
  /** One group. */
  static final class Content {
    long term;
    byte[] vote = {};
    byte[] marker = {};
    Base base = Base.NONE;
    long commit;
    final TreeMap<Long, LogEntry> entries = new TreeMap<>();

    long last() {
      return entries.isEmpty() ? base.index() : entries.lastKey();
    }

    long termAt(long index) {
      return index == base.index() ? base.term() : entries.get(index).term();
    }

    Content copy() {
      Content copy = new Content();
      copy.term = term;
      copy.vote = vote;
      copy.marker = marker;
      copy.base = base;
      copy.commit = commit;
      copy.entries.putAll(entries);
      return copy;
    }
  }

  final TreeMap<Long, Content> groups = new TreeMap<>();

  Model copy() {
    Model copy = new Model();
    groups.forEach((id, content) -> copy.groups.put(id, content.copy()));
    return copy;
  }

  Content group(long id) {
    return groups.computeIfAbsent(id, each -> new Content());
  }

  void apply(Append append) {
    for (Change change : append.changes()) {
      if (change.kind() == Change.REMOVE) {
        groups.remove(change.group());
      } else {
        apply(group(change.group()), change);
      }
    }
  }

  private static void apply(Content group, Change change) {
    long index = change.index();
    switch (change.kind()) {
      case Change.HARD_STATE -> {
        group.term = change.term();
        group.vote = change.payload();
      }
      case Change.MARKER -> group.marker = change.payload();
      case Change.COMMIT -> group.commit = Math.max(group.commit, index);
      case Change.TRUNCATE -> group.entries.tailMap(index, false).clear();
      case Change.RESET -> {
        group.base = change.toBase();
        group.commit = Math.max(group.commit, index);
        group.entries.clear();
      }
      case Change.COMPACT -> compact(group, index);
      default -> {
        group.entries.tailMap(index, true).clear();
        group.entries.put(index, change.toEntry());
      }
    }
  }

  private static void compact(Content group, long index) {
    if (index <= group.base.index()) {
      return;
    }
    long at = group.base.configurationIndex();
    byte[] configuration = group.base.configuration();
    for (LogEntry entry : group.entries.headMap(index, true).values()) {
      if (entry.kind() == LogEntry.Kind.CONFIGURATION) {
        at = entry.index();
        configuration = entry.data();
      }
    }
    group.base = new Base(index, group.termAt(index), at, configuration);
    group.commit = Math.max(group.commit, index);
    group.entries.headMap(index, true).clear();
  }

  /** How a log differs from this; null when it does not. */
  String difference(Log log) {
    if (!log.groups().equals(groups.keySet())) {
      return "groups " + log.groups() + ", not " + groups.keySet();
    }
    for (Map.Entry<Long, Content> each : groups.entrySet()) {
      String difference = difference(log, each.getKey(), each.getValue());
      if (difference != null) {
        return "group " + each.getKey() + ": " + difference;
      }
    }
    return null;
  }

  private static String difference(Log log, long id, Content wanted) {
    Group found = log.group(id).orElseThrow();
    if (found.term() != wanted.term || !Arrays.equals(found.vote(), wanted.vote)) {
      return "term " + found.term() + " or its vote, not " + wanted.term;
    }
    if (!Arrays.equals(found.marker(), wanted.marker)) {
      return "the marker";
    }
    if (!same(found.base(), wanted.base)) {
      return "base " + found.base() + ", not " + wanted.base;
    }
    if (found.last() != wanted.last() || found.commit() != wanted.commit) {
      return "last " + found.last() + " or commit " + found.commit() + ", not " + wanted.last();
    }
    TreeMap<Long, byte[]> configurations = new TreeMap<>();
    long term = 0;
    List<Group.TermRun> terms = new ArrayList<>();
    for (LogEntry entry : wanted.entries.values()) {
      if (entry.term() != term) {
        term = entry.term();
        terms.add(new Group.TermRun(entry.index(), term));
      }
      if (entry.kind() == LogEntry.Kind.CONFIGURATION) {
        configurations.put(entry.index(), entry.data());
      }
    }
    if (!found.terms().equals(terms)) {
      return "terms " + found.terms() + ", not " + terms;
    }
    if (!found.configurations().keySet().equals(configurations.keySet())) {
      return "configurations " + found.configurations().keySet();
    }
    for (Map.Entry<Long, byte[]> each : configurations.entrySet()) {
      if (!Arrays.equals(found.configurations().get(each.getKey()), each.getValue())) {
        return "configuration " + each.getKey();
      }
    }
    return entriesDiffer(log, id, wanted);
  }

  static boolean same(Base one, Base other) {
    return one.index() == other.index()
        && one.term() == other.term()
        && one.configurationIndex() == other.configurationIndex()
        && Arrays.equals(one.configuration(), other.configuration());
  }

  private static String entriesDiffer(Log log, long id, Content wanted) {
    long at = wanted.base.index() + 1;
    while (at <= wanted.last()) {
      List<LogEntry> read = log.read(id, at, 1000);
      if (read.isEmpty()) {
        return "entry " + at + " is not there";
      }
      for (LogEntry entry : read) {
        if (!same(entry, wanted.entries.get(at))) {
          return "entry " + entry + ", not " + wanted.entries.get(at);
        }
        at++;
      }
    }
    return log.read(id, wanted.base.index(), 1).isEmpty() && log.read(id, at, 1).isEmpty()
        ? null
        : "entries outside of the log";
  }

  static boolean same(LogEntry one, LogEntry other) {
    return other != null
        && one.index() == other.index()
        && one.term() == other.term()
        && Objects.equals(one.kind(), other.kind())
        && Arrays.equals(one.data(), other.data());
  }
}
