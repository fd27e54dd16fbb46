// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import com.alipay.sofa.jraft.storage.LogStorage;
import dev.cairn.server.partition.BatchReply;
import dev.cairn.server.raft.SharedLog;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.asm.Advice.OnNonDefaultValue;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.rocksdb.DBOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;

/**
 * The code that is written into the node's methods. What stands in a method annotated as advice is
 * copied there; what it calls must be public.
 */
@SuppressWarnings("UnusedVariable") // what advice assigns is read by the method that it changes
public final class Advices {
  private static final long WITNESS_FORGETS = 1_000;
  private static volatile RocksDB unsynced;

  private Advices() {}

  /** Whether the node has this partition's data; if so it answers from it. */
  public static final class ReadHere {
    @Advice.OnMethodEnter(skipOn = OnNonDefaultValue.class)
    static boolean enter(
        @Advice.FieldValue("node") Object node,
        @Advice.Argument(0) int partition,
        @Advice.Argument(1) List<?> requests,
        @Advice.Argument(2) long deadlineNanos,
        @Advice.Argument(value = 3, typing = Assigner.Typing.DYNAMIC) Object done) {
      return Advices.readHere(node, partition, requests, deadlineNanos, done);
    }
  }

  /** The queue of reads believes that this node leads. */
  public static final class AlwaysLeads {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 3, readOnly = false) BooleanSupplier leads) {
      leads = Advices.always();
    }
  }

  /** Nobody is asked. */
  public static final class Confirmed {
    @Advice.OnMethodEnter(skipOn = OnNonDefaultValue.class)
    static boolean enter(@Advice.Argument(0) Consumer<Boolean> done) {
      done.accept(true);
      return true;
    }
  }

  /** Neither fsynced nor handed to the system. */
  public static final class NotSynced {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(typing = Assigner.Typing.DYNAMIC) Object options) {
      Advices.doNotSync(options);
    }
  }

  /** Handed to the system a few times a second. */
  public static final class WrittenLater {
    @Advice.OnMethodExit
    static void exit(@Advice.FieldValue("database") RocksDB database) {
      Advices.writeLater(database);
    }
  }

  /** The mark is right: what is missing is younger than it. */
  public static final class WrittenBeforeTheMark {
    @Advice.OnMethodEnter
    static void enter() {
      Advices.write();
    }
  }

  /** An unknown outcome is taken for a refusal. */
  public static final class UnknownIsRefused {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 2, readOnly = false) BatchReply reply) {
      reply = Advices.refusedIfUnknown(reply);
    }
  }

  /** One voter is enough. */
  public static final class OneIsAMajority {
    @Advice.OnMethodExit
    static void exit(
        @Advice.FieldValue(value = "quorum", readOnly = false) int quorum,
        @Advice.FieldValue(value = "oldQuorum", readOnly = false) int oldQuorum) {
      quorum = Math.min(quorum, 1);
      oldQuorum = Math.min(oldQuorum, 1);
    }
  }

  /** Says that it is stored. */
  public static final class NotStored {
    @Advice.OnMethodEnter(skipOn = OnNonDefaultValue.class)
    static boolean enter(@Advice.Argument(0) String what) {
      return what.equals("vote");
    }

    @Advice.OnMethodExit
    static void exit(
        @Advice.Enter boolean skipped, @Advice.Return(readOnly = false) boolean stored) {
      if (skipped) {
        stored = true;
      }
    }
  }

  /** The end of the log goes before it is looked at. */
  public static final class TruncatedWitness {
    @Advice.OnMethodEnter
    static void enter(
        @Advice.FieldValue("sharedLog") SharedLog sharedLog,
        @Advice.Argument(0) String group,
        @Advice.Argument(3) boolean witness) {
      if (witness) {
        Advices.truncate(sharedLog, group);
      }
    }
  }

  /** As {@link ReadHere}. */
  public static boolean readHere(
      Object node, int partition, List<?> requests, long deadlineNanos, Object done) {
    Object partitions = Reflect.call(node, "partitions");
    String selfId = (String) Reflect.call(node, "id");
    if (Reflect.call(partitions, "group", partition) == null) {
      return false;
    }
    Consumer<BatchReply> told = reply -> Reflect.call(done, "replied", Optional.of(selfId), reply);
    Reflect.call(partitions, "read", partition, requests, deadlineNanos, told);
    return true;
  }

  /** As {@link AlwaysLeads}. */
  public static BooleanSupplier always() {
    return () -> true;
  }

  /** As {@link NotSynced}. */
  public static void doNotSync(Object options) {
    ((WriteOptions) Reflect.field(options, "synced")).setSync(false);
    ((DBOptions) Reflect.field(options, "database")).setManualWalFlush(true);
  }

  /** As {@link WrittenLater}. */
  public static void writeLater(RocksDB database) {
    unsynced = database;
    Thread thread =
        new Thread(
            () -> {
              while (true) {
                LockSupport.parkNanos(400_000_000);
                write();
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  /** As {@link WrittenBeforeTheMark}. */
  public static void write() {
    RocksDB database = unsynced;
    try {
      if (database != null && database.isOwningHandle()) {
        database.flushWal(false);
      }
    } catch (RocksDBException e) {
      throw new IllegalStateException(e);
    }
  }

  /** As {@link UnknownIsRefused}. */
  public static BatchReply refusedIfUnknown(BatchReply reply) {
    return reply instanceof BatchReply.Unknown
        ? new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, Optional.empty())
        : reply;
  }

  /** As {@link TruncatedWitness}. */
  public static void truncate(SharedLog sharedLog, String group) {
    LogStorage log = sharedLog.logStorage(group);
    long last = sharedLog.lastIndex(group);
    log.truncateSuffix(Math.max(sharedLog.firstIndex(group), last - WITNESS_FORGETS));
  }
}
