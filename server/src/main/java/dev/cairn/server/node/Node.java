// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.node;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running node: every part, built here by constructor and stopped in reverse. */
public final class Node {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  private final DataFolder folder;

  private Node(DataFolder folder) {
    this.folder = folder;
  }

  /**
   * Starts a node; when this returns it is part of its cluster or tries to be.
   *
   * @throws StartException when it cannot, and what to do
   */
  public static Node start(NodeConfig config) throws StartException, IOException {
    DataFolder folder = DataFolder.open(config.data());
    boolean started = false;
    try {
      LOG.info("data folder {}", folder.path());
      NodeIdentity identity = identity(config, folder);
      LOG.info("node {} id {}", identity.name(), identity.nodeId());
      Node node = new Node(folder);
      started = true;
      return node;
    } finally {
      if (!started) {
        folder.close();
      }
    }
  }

  /** Stops what runs; what was acknowledged is on disk with or without it. */
  public void stop() throws IOException {
    LOG.info("stopped");
    folder.close();
  }

  private static NodeIdentity identity(NodeConfig config, DataFolder folder)
      throws StartException, IOException {
    Optional<NodeIdentity> known = NodeIdentity.load(folder);
    if (known.isPresent()) {
      return known.get();
    }
    NodeIdentity created = NodeIdentity.create(config.self().name(), new SecureRandom());
    created.save(folder);
    return created;
  }
}
