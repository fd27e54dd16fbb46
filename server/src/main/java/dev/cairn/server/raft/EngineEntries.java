// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.storage.LogManager;
import java.lang.reflect.Field;
import java.util.List;
import java.util.function.LongFunction;

/**
 * Tells a listener of the entries that JRaft does not hand over: configurations, and those without
 * data. Their indexes are those that it leaves out, and what they say stands in the log.
 *
 * <p>Thread: the state machine's. Invariant: the listener knows of each entry up to {@code told},
 * and is told of the next one next.
 */
final class EngineEntries {
  private final GroupListener listener;
  private final LongFunction<LogEntry> entries;
  private long told;

  /**
   * Of a group of which nothing was told.
   *
   * @param entries the group's committed entries, in memory or on disk; null for none
   */
  EngineEntries(GroupListener listener, LongFunction<LogEntry> entries) {
    this.listener = listener;
    this.entries = entries;
  }

  /**
   * The entries of a node, which it may not have on disk yet when they are committed. The node may
   * be one that is not initialized, as long as nothing is asked for.
   */
  static LongFunction<LogEntry> of(NodeImpl node) {
    try {
      Field log = NodeImpl.class.getDeclaredField("logManager");
      log.setAccessible(true);
      return index -> {
        try {
          return ((LogManager) log.get(node)).getEntry(index);
        } catch (IllegalAccessException e) {
          throw new IllegalStateException(e);
        }
      };
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException("this version of JRaft keeps its log elsewhere", e);
    }
  }

  /** The listener knows of all up to there, from somebody else. */
  void known(long index) {
    told = Math.max(told, index);
  }

  /** Tells of all that stand before an entry and are not known. */
  void tellBefore(long index) throws Exception {
    while (told + 1 < index) {
      tellNext();
    }
  }

  /** Tells of all up to the next joint configuration, which is committed. */
  void tellToJoint() throws Exception {
    boolean joint = false;
    while (!joint) {
      joint = tellNext();
    }
  }

  /** Tells of the next entry; whether that is a joint configuration. */
  private boolean tellNext() throws Exception {
    long index = told + 1;
    LogEntry entry = entries.apply(index);
    if (entry == null || entry.getType() == EntryType.ENTRY_TYPE_DATA) {
      throw new IllegalStateException(
          "entry %d was left out, and is %s"
              .formatted(index, entry == null ? "not in the log" : "one with data"));
    }
    told = index;
    if (entry.getType() != EntryType.ENTRY_TYPE_CONFIGURATION) {
      listener.passed(index, entry.getId().getTerm());
      return false;
    }
    GroupListener.Configuration configuration =
        new GroupListener.Configuration(
            index,
            entry.getId().getTerm(),
            peers(entry.getPeers()),
            peers(entry.getOldPeers()),
            peers(entry.getLearners()));
    listener.configurationCommitted(configuration);
    return configuration.isJoint();
  }

  private static List<Peer> peers(List<PeerId> members) {
    return members == null ? List.of() : members.stream().map(Peer::of).toList();
  }
}
