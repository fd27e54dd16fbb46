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
      History history) {
    HealthResource health = new HealthResource(metrics, notReady);
    ConsoleResource console = new ConsoleResource(router);
    ClusterResource cluster = new ClusterResource(router);
    KeyResource key = new KeyResource(router, config.levels());
    return List.of(
        Route.probe("/healthz", health::alive),
        Route.probe("/readyz", worker.resource(health::ready)),
        Route.document("/metrics", worker.resource(health::metrics)),
        Route.document("/v1/cluster", worker.resource(cluster::cluster)),
        Route.document("/v1/nodes", worker.resource(cluster::nodes)),
        Route.document("/v1/partitions", worker.resource(cluster::partitions)),
        Route.document("/v1/ring", worker.resource(cluster::ring)),
        Route.document("/v1/stats", worker.resource(cluster::stats)),
        Route.document("/v1/history", worker.resource(history::answer)),
        Route.document("/v1/slowlog", worker.resource(cluster::slowLog)),
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
        Route.document("/openapi.yaml", health::openApi),
        Route.word("/problems/", HealthResource::problem),
        Route.document("/", console::index),
        Route.document("/console/", console::file));
  }
}
