// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.metrics.Metrics;
import dev.cairn.server.routing.Router;
import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** The table of all that HTTP serves. */
final class Routes {
  private Routes() {}

  static List<Route> of(
      HttpConfig config,
      Router router,
      Metrics metrics,
      Supplier<Optional<String>> notReady,
      Worker worker) {
    HealthResource health = new HealthResource(metrics, notReady);
    ConsoleResource console = new ConsoleResource(router);
    KeyResource key = new KeyResource(router, config.levels());
    return List.of(
        Route.read("/healthz", health::alive),
        Route.read("/readyz", worker.resource(health::ready)),
        Route.read("/metrics", worker.resource(health::metrics)),
        Route.read("/v1/cluster", worker.resource(new ClusterResource(router)::cluster)),
        new Route(
            "/v1/kv/",
            "key",
            List.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.PUT, HttpMethod.DELETE),
            config.valueBytesMax(),
            key),
        Route.read("/problems/", HealthResource::problem),
        Route.read("/", console::index),
        Route.read("/console/", console::file));
  }
}
