// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.util.RepeatedTimer;
import com.alipay.sofa.jraft.util.Utils;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * What the engine knows of a group's leader, and its way to stand for election; {@link Candidacy}
 * decides when.
 *
 * <p>The engine's own timer runs from one end to the next, whatever was heard meanwhile: a follower
 * that looks at 499 ms of silence looks again half a second later, so that it stands after anything
 * from one to more than two of its timeouts. That timer is set to a day here; whether it runs still
 * says whether this member waits for a leader. There is no way in but the engine's own fields; what
 * changed there is noticed when a group opens, not later.
 */
final class FollowerState implements Candidacy.Follower {
  private static final int ENGINE_TIMER_MILLIS = 24 * 60 * 60 * 1000;
  private static final Field TIMER = field(NodeImpl.class, "electionTimer");
  private static final Field RUNNING = field(RepeatedTimer.class, "running");
  private static final Field LAST_HEARD = field(NodeImpl.class, "lastLeaderTimestamp");
  private static final MethodHandle STAND = method("handleElectionTimeout");

  private final NodeImpl node;
  private final RepeatedTimer timer;
  private final int leaseMillis;
  private final Consumer<Set<Peer>> reachVoters;

  private FollowerState(NodeImpl node, int leaseMillis, Consumer<Set<Peer>> reachVoters)
      throws IllegalAccessException {
    this.node = node;
    this.leaseMillis = leaseMillis;
    this.reachVoters = reachVoters;
    timer = (RepeatedTimer) TIMER.get(node);
    timer.reset(ENGINE_TIMER_MILLIS);
  }

  /**
   * Takes over from the engine's timer.
   *
   * @param leaseMillis the engine's election timeout: silence up to which it neither stands nor
   *     grants a pre-vote
   * @param reachVoters waits a moment for connections to those that vote; called before it stands,
   *     without a lock: the engine does not wait for them under its own ({@link RaftRpc})
   */
  static FollowerState of(NodeImpl node, int leaseMillis, Consumer<Set<Peer>> reachVoters) {
    try {
      return new FollowerState(node, leaseMillis, reachVoters);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Field field(Class<?> type, String name) {
    try {
      Field field = type.getDeclaredField(name);
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException("this version of JRaft keeps its timers elsewhere", e);
    }
  }

  private static MethodHandle method(String name) {
    try {
      Method method = NodeImpl.class.getDeclaredMethod(name);
      method.setAccessible(true);
      return MethodHandles.lookup().unreflect(method);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this version of JRaft stands for election elsewhere", e);
    }
  }

  @Override
  public boolean waits() {
    try {
      return RUNNING.getBoolean(timer);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public long silentMillis() {
    try {
      return Utils.monotonicMs() - LAST_HEARD.getLong(node);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void endLease() {
    try {
      LAST_HEARD.setLong(node, Utils.monotonicMs() - leaseMillis);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Those that vote; while that changes, those that will. */
  private Set<Peer> voters() {
    return node.getCurrentConf().listPeers().stream()
        .map(Peer::of)
        .collect(Collectors.toUnmodifiableSet());
  }

  @Override
  public void stand() {
    reachVoters.accept(voters());
    try {
      STAND.invokeExact(node);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
