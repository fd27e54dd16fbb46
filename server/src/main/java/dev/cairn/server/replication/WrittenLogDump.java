// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.replication;

import dev.cairn.consensus.Configuration;
import dev.cairn.consensus.Member;
import dev.cairn.consensus.Role;
import dev.cairn.log.Group;
import dev.cairn.log.LogEntry;
import dev.cairn.log.LogException;
import dev.cairn.log.LogReading;
import dev.cairn.log.ReadOnlyFolder;
import dev.cairn.replication.Codec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Prints a write-ahead log in readable lines, changing nothing. The node may be running: then it is
 * the log of one moment.
 *
 * <pre>
 *   group p0  incarnation 3  term 3  voted for 5000@3  behind index 120  commit 124
 *   group p0  index 121  term 1  CONFIGURATION  0 bytes  5000@3,5001@1,5002@1 witness
 *   group p0  index 122  term 1  DATA  34 bytes  PUT mykey
 * </pre>
 */
public final class WrittenLogDump {
  private static final long READ_BYTES = 1 << 20;

  private WrittenLogDump() {}

  /**
   * Prints all groups by number, their entries by index.
   *
   * @param folder as given to {@link WrittenLog#open}
   * @param out takes one line after the other; what it throws ends the reading
   * @param payload says in one line what a proposal holds
   * @throws dev.cairn.server.raft.ForeignLogException when it is of the former form
   * @throws IOException when there is no log, it cannot be read or is of another version
   */
  public static void print(Path folder, Consumer<String> out, Function<byte[], String> payload)
      throws IOException {
    LogFolder.refuseFormerForm(folder);
    try (LogReading log = ReadOnlyFolder.openLog(folder)) {
      for (long number : log.groups()) {
        print(log, number, out, payload);
      }
    } catch (LogException e) {
      throw new IOException(
          "The write-ahead log in "
              + folder
              + " cannot be read: "
              + e.getMessage()
              + (e.kind() == LogException.Kind.DAMAGED
                  ? ". Where its node is running, try again: it may have used a file anew."
                  : ""),
          e);
    }
  }

  private static void print(
      LogReading log, long number, Consumer<String> out, Function<byte[], String> payload)
      throws IOException {
    Group group = log.group(number).orElseThrow();
    String name = "group " + GroupNumbers.shortName(number);
    out.accept(
        name
            + "  incarnation "
            + (group.marker().length == 0 ? 0 : Codec.peer(group.marker()).incarnation())
            + "  term "
            + group.term()
            + "  voted for "
            + (group.vote().length == 0 ? "nobody" : text(Codec.peer(group.vote())))
            + "  behind index "
            + group.base().index()
            + "  commit "
            + group.commit());
    long next = group.base().index() + 1;
    List<LogEntry> entries = log.read(number, next, READ_BYTES);
    while (!entries.isEmpty()) {
      entries.forEach(entry -> out.accept(name + line(entry, payload)));
      next += entries.size();
      entries = log.read(number, next, READ_BYTES);
    }
  }

  private static String line(LogEntry entry, Function<byte[], String> payload) {
    String line = "  index " + entry.index() + "  term " + entry.term() + "  ";
    return switch (entry.kind()) {
      case EMPTY -> line + "NO_OP  0 bytes";
      case DATA -> line + "DATA  " + entry.data().length + " bytes  " + payload.apply(entry.data());
      case CONFIGURATION ->
          line + "CONFIGURATION  0 bytes  " + text(Codec.configuration(entry.data()));
    };
  }

  private static String text(Configuration configuration) {
    String text = text(configuration.voters());
    if (configuration.isJoint()) {
      text += "  outgoing " + text(configuration.outgoing());
    }
    if (!configuration.learners().isEmpty()) {
      text +=
          "  learners "
              + configuration.learners().stream()
                  .map(WrittenLogDump::text)
                  .collect(Collectors.joining(","));
    }
    return text;
  }

  private static String text(Collection<Member> members) {
    return members.stream()
        .map(member -> text(member.peer()) + (member.role() == Role.WITNESS ? " witness" : ""))
        .collect(Collectors.joining(","));
  }

  private static String text(dev.cairn.consensus.Peer peer) {
    return peer.node() + "@" + peer.incarnation();
  }
}
