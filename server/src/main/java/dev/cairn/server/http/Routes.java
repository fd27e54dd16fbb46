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
      Worker worker,
      History history,
      Route.Resource sessions) {
    HealthResource health = new HealthResource(metrics, notReady);
    ConsoleResource console = new ConsoleResource(router);
    ClusterResource cluster = new ClusterResource(router);
    KeyResource key = new KeyResource(router, config.levels());
    return List.of(
        Route.probe("/healthz", health::alive),
        Route.probe("/readyz", worker.resource(health::ready)),
        Route.document("/metrics", "info", worker.resource(health::metrics)),
        Route.document("/v1/cluster", "cairn|status", worker.resource(cluster::cluster)),
        Route.document("/v1/nodes", "cairn|status", worker.resource(cluster::nodes)),
        Route.document("/v1/partitions", "cairn|status", worker.resource(cluster::partitions)),
        Route.document("/v1/ring", "cairn|status", worker.resource(cluster::ring)),
        Route.document("/v1/stats", "info", worker.resource(cluster::stats)),
        Route.document("/v1/history", "info", worker.resource(history::answer)),
        Route.document("/v1/slowlog", "slowlog|get", worker.resource(cluster::slowLog)),
        Route.keys(
            "/v1/kv/",
            "key",
            List.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.PUT, HttpMethod.DELETE),
            config.valueBytesMax(),
            key),
        Route.keys(
            "/v1/kv",
            "keys",
            List.of(HttpMethod.GET, HttpMethod.HEAD),
            0,
            new KeyListing(router, config.levels())),
        Route.keys(
            "/v1/batch",
            "batch",
            List.of(HttpMethod.POST),
            BatchResource.bodyBytesMax(config.valueBytesMax()),
            new BatchResource(router, config.levels(), config.valueBytesMax())),
        Route.session("/v1/session", SessionResource.BODY_BYTES_MAX, sessions),
        Route.document("/openapi.yaml", Route.ANYBODY, health::openApi),
        Route.word("/problems/", Route.ANYBODY, HealthResource::problem),
        Route.document("/", Route.ANYBODY, console::index),
        Route.document("/console/", Route.ANYBODY, console::file));
  }
}
