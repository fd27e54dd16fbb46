// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.metrics.Metrics;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;

/** What those ask who watch over a node, and what a problem's type means. */
final class HealthResource {
  private final Metrics metrics;
  private final Supplier<Optional<String>> notReady;

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
