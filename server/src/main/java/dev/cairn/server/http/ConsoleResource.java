// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.server.routing.Router;
import java.util.stream.Collectors;

/**
 * The console's pages. Their scripts may talk to this node, and ask the others whether they are
 * alive: the console goes on through one of them when this node is gone.
 */
final class ConsoleResource {
  /** No script or style but from files of ours, nothing from elsewhere; whom to ask follows. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'";

  private final StaticFiles files = new StaticFiles();
  private final Router router;

  ConsoleResource(Router router) {
    this.router = router;
  }

  void index(HttpCall call) {
    answer(call, "index.html");
  }

  void file(HttpCall call) {
    answer(call, call.rest());
  }

  private void answer(HttpCall call, String name) {
    String scheme = call.asker().secured() ? " https://" : " http://";
    String others =
        router.topology().nodes().stream()
            .map(node -> node.name())
            .filter(authority -> HostCheck.name(authority).isPresent())
            .map(authority -> scheme + authority)
            .collect(Collectors.joining());
    call.answer(
        files.answer(name, call.headers()).with("Content-Security-Policy", POLICY + others));
  }
}
