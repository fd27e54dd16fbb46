// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import io.netty.handler.codec.http.HttpMethod;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What can be asked for at one path.
 *
 * @param path all of it; where it ends in a slash, all that begins with it and goes on
 * @param label by which its requests are counted among the commands; empty: they are not
 * @param methods those taken, but for OPTIONS, which all take
 * @param bodyBytesMax the longest body that it takes
 */
record Route(
    String path, String label, List<HttpMethod> methods, int bodyBytesMax, Resource resource) {
  private static final List<HttpMethod> READS = List.of(HttpMethod.GET, HttpMethod.HEAD);

  /** Answers the requests of a route. Must not block; what it throws is answered as a bug. */
  @FunctionalInterface
  interface Resource {
    /** Answers once, on any thread. {@link BadRequest} thrown is the answer. */
    void answer(HttpCall call);
  }

  /** What is only read. */
  static Route read(String path, Resource resource) {
    return new Route(path, "", READS, 0, resource);
  }

  private boolean open() {
    return path.length() > 1 && path.endsWith("/");
  }

  private boolean matches(String asked) {
    return open() ? asked.startsWith(path) && asked.length() > path.length() : asked.equals(path);
  }

  /** What of a matching path follows this route's own. */
  String rest(String asked) {
    return asked.substring(path.length());
  }

  /** The header Allow. */
  String allow() {
    return methods.stream().map(HttpMethod::name).collect(Collectors.joining(", ")) + ", OPTIONS";
  }

  /** The first route of a path that is not decoded. */
  static Optional<Route> of(List<Route> routes, String path) {
    return routes.stream().filter(route -> route.matches(path)).findFirst();
  }
}
