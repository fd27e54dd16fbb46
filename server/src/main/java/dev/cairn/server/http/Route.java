// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import java.util.Arrays;
import java.util.Optional;

/** What can be asked for. */
enum Route {
  HEALTH("/healthz"),
  READY("/readyz"),
  METRICS("/metrics"),
  CLUSTER("/v1/cluster");

  /** The methods of every one of them: none changes anything. */
  static final String METHODS = "GET, HEAD, OPTIONS";

  private final String path;

  Route(String path) {
    this.path = path;
  }

  String path() {
    return path;
  }

  static Optional<Route> of(String path) {
    return Arrays.stream(values()).filter(route -> route.path.equals(path)).findFirst();
  }
}
