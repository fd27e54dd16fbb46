// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.metrics.Metrics;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;

/** What those ask who watch over a node, and what is to be read about its answers. */
final class HealthResource {
  private final Metrics metrics;
  private final Supplier<Optional<String>> notReady;
  private final byte[] openApi = resource("openapi.yaml");

  HealthResource(Metrics metrics, Supplier<Optional<String>> notReady) {
    this.metrics = metrics;
    this.notReady = notReady;
  }

  /** Says nothing but that somebody is here: a console that another node served may ask. */
  void alive(HttpCall call) {
    call.answer(
        HttpAnswer.json(200, "{\"status\":\"alive\"}")
            .with("Cross-Origin-Resource-Policy", "cross-origin"));
  }

  void ready(HttpCall call) {
    call.answer(
        notReady
            .get()
            .map(why -> HttpAnswer.problem(Problem.UNAVAILABLE, why).with("Retry-After", "1"))
            .orElseGet(() -> HttpAnswer.json(200, "{\"status\":\"ready\"}")));
  }

  void metrics(HttpCall call) {
    call.answer(HttpAnswer.of(200, Metrics.CONTENT_TYPE, metrics.scrape()));
  }

  /** What all of this is, in OpenAPI's terms. */
  void openApi(HttpCall call) {
    call.answer(HttpAnswer.of(200, "application/yaml", openApi));
  }

  private static byte[] resource(String name) {
    try (InputStream in = HealthResource.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("the resource " + name + " cannot be read", e);
    }
  }

  /** The type of a problem document leads here. */
  static void problem(HttpCall call) {
    Optional<Problem> problem = Problem.ofSlug(call.rest());
    if (problem.isEmpty()) {
      call.answer(HttpAnswer.problem(Problem.NO_SUCH_RESOURCE, "there is no such problem"));
      return;
    }
    String text =
        "%s (status %d)\n\n%s\n"
            .formatted(problem.get().slug(), problem.get().status(), problem.get().advice());
    call.answer(
        HttpAnswer.of(200, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8)));
  }
}
