// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The clusters of a test: closed after it, with the end of each node's log when it failed. */
final class Clusters implements AfterEachCallback, AfterAllCallback {
  private final boolean shared;
  private final List<ProcessCluster> open = new ArrayList<>();

  private Clusters(boolean shared) {
    this.shared = shared;
  }

  /** Each test has clusters of its own. */
  static Clusters ofEachTest() {
    return new Clusters(false);
  }

  /** The tests of a class share them; for a static field. */
  static Clusters ofClass() {
    return new Clusters(true);
  }

  ProcessCluster start(ProcessCluster.Builder described) {
    ProcessCluster cluster = described.start();
    open.add(cluster);
    return cluster;
  }

  ProcessCluster startHealthy(ProcessCluster.Builder described) {
    ProcessCluster cluster = start(described);
    cluster.awaitHealthy();
    return cluster;
  }

  @Override
  public void afterEach(ExtensionContext test) {
    if (test.getExecutionException().isPresent()) {
      System.err.println("FAILED: " + test.getDisplayName());
      open.forEach(cluster -> System.err.println(cluster.logTails()));
    }
    if (!shared) {
      closeAll();
    }
  }

  @Override
  public void afterAll(ExtensionContext testClass) {
    closeAll();
  }

  private void closeAll() {
    open.forEach(ProcessCluster::close);
    open.clear();
  }
}
