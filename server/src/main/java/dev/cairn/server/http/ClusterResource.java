// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.routing.Router;

/** The cluster as a whole. */
final class ClusterResource {
  private final Router router;

  ClusterResource(Router router) {
    this.router = router;
  }

  /** The document of {@code CAIRN STATUS}. */
  void cluster(HttpCall call) {
    router.status(json -> call.answer(HttpAnswer.json(200, json)));
  }
}
