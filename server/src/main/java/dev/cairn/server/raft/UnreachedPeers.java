// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.Node;
import com.alipay.sofa.jraft.core.NodeImpl;
import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The peers that a leader could not reach when its term began, and tries again now and then.
 *
 * <p>JRaft 1.4.1 forgets them whenever a transfer of leadership begins ({@code
 * NodeImpl.onLeaderStop} clears {@code failureReplicators}). Where the transfer comes to nothing
 * the leader goes on in the same term and never again sends them anything: such a peer hears no
 * leader, and is refused when it stands, since the others hear one. A witness that leads, offers
 * leadership to a replica that cannot take it and was elected while the other one was down would so
 * keep its partition unavailable for ever. There is no way in but the engine's own fields; what
 * changed there is noticed when a group opens ({@link #of}), not later.
 */
final class UnreachedPeers {
  private final Map<Object, Object> unreached;

  private UnreachedPeers(Map<Object, Object> unreached) {
    this.unreached = unreached;
  }

  /**
   * Those of a group that is open.
   *
   * @throws IllegalStateException when the engine is not the one that this was written for
   */
  static UnreachedPeers of(Node node) {
    try {
      Object replicators = field(NodeImpl.class, "replicatorGroup").get(node);
      @SuppressWarnings("unchecked") // a map of peers, whatever its values are
      Map<Object, Object> map =
          (Map<Object, Object>)
              field(replicators.getClass(), "failureReplicators").get(replicators);
      return new UnreachedPeers(map);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this version of JRaft keeps its replicators elsewhere", e);
    }
  }

  private static Field field(Class<?> type, String name) throws NoSuchFieldException {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field;
  }

  /** Begins a transfer, and has these peers tried again should it come to nothing. */
  <T> T keptDuring(Supplier<T> transfer) {
    Map<Object, Object> before = new HashMap<>(unreached);
    T result = transfer.get();
    // A term that ends clears them again.
    before.forEach(unreached::putIfAbsent);
    return result;
  }
}
