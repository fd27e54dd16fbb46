// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.core.NodeImpl;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the JVM its signal back that the engine takes when it is loaded.
 *
 * <p>The engine has SIGUSR2 write its state into files of the current folder. The JVM sends itself
 * the same signal to look at its threads: while a profiler of its own runs (JDK Flight Recorder),
 * dozens of times a second. The profile stays empty then, and the node is kept from its work by
 * descriptions of itself, so long that it loses its partitions.
 *
 * <p>By reflection, since {@code sun.misc.Signal}, the only way there is, is not to be compiled
 * against without a warning. Where it is missing, nothing happens.
 */
final class EngineSignal {
  private static final Logger log = LoggerFactory.getLogger(EngineSignal.class);

  private EngineSignal() {}

  /** Loads the engine, and leaves the signal as it was before. */
  static void loadEngine() {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Method handle = signal.getMethod("handle", signal, handler);
      Object usr2 = signal.getConstructor(String.class).newInstance("USR2");
      Object ignoring =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (InvocationHandler) (p, m, a) -> null);
      Object before = handle.invoke(null, usr2, ignoring);
      try {
        Class.forName(NodeImpl.class.getName()); // takes the signal as it is initialised
      } finally {
        handle.invoke(null, usr2, before);
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      log.debug("SIGUSR2 stays with whoever has it", e);
    }
  }
}
