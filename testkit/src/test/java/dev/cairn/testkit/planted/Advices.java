// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

import dev.cairn.consensus.HardState;
import dev.cairn.consensus.Restored;
import dev.cairn.log.Append;
import dev.cairn.log.Group;
import dev.cairn.log.Log;
import dev.cairn.server.partition.BatchReply;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.asm.Advice.OnNonDefaultValue;
import net.bytebuddy.implementation.bytecode.assign.Assigner;

/**
 * The code that is written into the node's methods. What stands in a method annotated as advice is
 * copied there; what it calls must be public.
 *
 * <p>Threads: {@link #hold} and {@link #write} may be called by any; the lock of {@link #HELD}
 * keeps the order of writes.
 */
@SuppressWarnings("UnusedVariable") // what advice assigns is read by the method that it changes
public final class Advices {
  private static final long WITNESS_FORGETS = 1_000;
  private static final int BLOCK_BYTES = 4_096;
  private static final long LATER_NANOS = 400_000_000;

  /** What was called written, oldest first; guarded by itself. */
  private static final Deque<Held> HELD = new ArrayDeque<>();

  private static boolean writes; // guarded by HELD

  private record Held(FileChannel channel, long position, ByteBuffer bytes) {}

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

  /** An unknown outcome is taken for a refusal. */
  public static final class UnknownIsRefused {
    @Advice.OnMethodEnter
    static void enter(@Advice.Argument(value = 2, readOnly = false) BatchReply reply) {
      reply = Advices.refusedIfUnknown(reply);
    }
  }

  /** Said to be written, and handed to the system a few times a second. */
  public static final class WrittenLater {
    @Advice.OnMethodEnter(skipOn = OnNonDefaultValue.class)
    static boolean enter(
        @Advice.FieldValue("channel") FileChannel channel,
        @Advice.Argument(0) long position,
        @Advice.Argument(1) ByteBuffer from) {
      return Advices.hold(channel, position, from);
    }
  }

  /** Who reads, closes a file or writes the mark finds what was written before. */
  public static final class WrittenBefore {
    @Advice.OnMethodEnter
    static void enter() {
      Advices.write();
    }
  }

  /** One voter is enough to commit. */
  public static final class OneIsAMajority {
    @Advice.OnMethodEnter
    static void enter(@Advice.This Object leadership, @Advice.FieldValue("state") Object state) {
      Advices.commitWhatOneHas(leadership, state);
    }
  }

  /** What was written of terms and votes is not read. */
  public static final class NotStored {
    @Advice.OnMethodExit
    static void exit(@Advice.Return(readOnly = false) Optional<Restored> restored) {
      restored = Advices.withoutVote(restored);
    }
  }

  /** The end of the log goes before it is looked at. */
  public static final class TruncatedWitness {
    @Advice.OnMethodEnter
    static void enter(
        @Advice.FieldValue("log") Object written,
        @Advice.Argument(0) String group,
        @Advice.Argument(3) boolean witness) {
      if (witness) {
        Advices.truncate(written, group);
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

  /** As {@link UnknownIsRefused}. */
  public static BatchReply refusedIfUnknown(BatchReply reply) {
    return reply instanceof BatchReply.Unknown
        ? new BatchReply.Refused(BatchReply.Reason.NOT_LEADER, Optional.empty())
        : reply;
  }

  /** As {@link WrittenLater}. */
  public static boolean hold(FileChannel channel, long position, ByteBuffer from) {
    // Past the page cache only what is aligned may be written.
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(from.remaining() + BLOCK_BYTES).alignedSlice(BLOCK_BYTES);
    bytes.put(from).flip();
    synchronized (HELD) {
      HELD.addLast(new Held(channel, position, bytes));
      if (!writes) {
        writes = true;
        Thread thread = new Thread(Advices::writeNowAndThen);
        thread.setDaemon(true);
        thread.start();
      }
    }
    return true;
  }

  private static void writeNowAndThen() {
    while (true) {
      LockSupport.parkNanos(LATER_NANOS);
      write();
    }
  }

  /** As {@link WrittenBefore}. */
  public static void write() {
    synchronized (HELD) {
      for (Held held = HELD.pollFirst(); held != null; held = HELD.pollFirst()) {
        try {
          for (long at = held.position; held.bytes.hasRemaining(); ) {
            at += held.channel.write(held.bytes, at);
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  /** As {@link OneIsAMajority}; of the leader's own term, as without the bug. */
  public static void commitWhatOneHas(Object leadership, Object state) {
    long reached = (Long) Reflect.call(leadership, "matchOf", Reflect.field(state, "self"));
    Object termReached = Reflect.call(Reflect.field(state, "log"), "termAt", reached);
    if (reached > (Long) Reflect.call(state, "commit")
        && termReached.equals(Reflect.call(state, "term"))) {
      Reflect.call(state, "commitTo", reached);
    }
  }

  /** As {@link NotStored}. */
  public static Optional<Restored> withoutVote(Optional<Restored> restored) {
    return restored.map(
        found -> new Restored(new HardState(0, null), found.base(), found.entries(), found.data()));
  }

  /** As {@link TruncatedWitness}. */
  public static void truncate(Object written, String name) {
    long number =
        (Long) Reflect.callStatic("dev.cairn.server.replication.GroupNumbers", "of", name);
    Log log = (Log) Reflect.field(written, "log");
    Group group = log.group(number).orElse(null);
    if (group != null && group.last() > group.base().index()) {
      long kept = Math.max(group.base().index(), group.last() - WITNESS_FORGETS);
      Reflect.call(written, "awaitWritten", new Append().truncate(number, kept));
    }
  }
}
