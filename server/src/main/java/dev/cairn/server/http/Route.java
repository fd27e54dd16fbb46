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
 * @param isDocument whether it may be refused when it is there, for want of memory: what reads and
 *     writes keys may not, since it was done, and what says that the node is alive is to be heard
 * @param right the command that one must be allowed to run, {@code cairn|status}; {@link #OPEN}:
 *     none, and nobody has to log in; {@link #ANYBODY}: none, to who has logged in
 * @param anyHost whether it answers by whatever name the node is asked
 */
record Route(
    String path,
    String label,
    List<HttpMethod> methods,
    int bodyBytesMax,
    boolean isDocument,
    String right,
    boolean anyHost,
    Resource resource) {
  /** The right that all have. */
  static final String OPEN = "-";

  /** The right that all have who have logged in. */
  static final String ANYBODY = "";

  private static final List<HttpMethod> READS = List.of(HttpMethod.GET, HttpMethod.HEAD);

  /** Answers the requests of a route. Must not block; what it throws is answered as a bug. */
  @FunctionalInterface
  interface Resource {
    /** Answers once, on any thread. {@link BadRequest} thrown is the answer. */
    void answer(HttpCall call);
  }

  /**
   * What those ask who watch over the node. They know it by names of their own, and it says nothing
   * that a page elsewhere could not find out.
   */
  static Route probe(String path, Resource resource) {
    return new Route(path, "", READS, 0, false, OPEN, true, resource);
  }

  /** What is only read, and little. */
  static Route word(String path, String right, Resource resource) {
    return new Route(path, "", READS, 0, false, right, false, resource);
  }

  /** What is only read, and may be much. */
  static Route document(String path, String right, Resource resource) {
    return new Route(path, "", READS, 0, true, right, false, resource);
  }

  /** What reads or writes keys; it looks itself whether its asker may. */
  static Route keys(
      String path, String label, List<HttpMethod> methods, int bodyBytesMax, Resource resource) {
    return new Route(path, label, methods, bodyBytesMax, false, ANYBODY, false, resource);
  }

  /** Where one logs in and out: the first is open to all. */
  static Route session(String path, int bodyBytesMax, Resource resource) {
    return new Route(
        path,
        "",
        List.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST, HttpMethod.DELETE),
        bodyBytesMax,
        false,
        ANYBODY,
        false,
        resource);
  }

  /** Whether nobody has to log in for this: to be asked, or to log in. */
  boolean isOpenTo(HttpMethod method) {
    return isOpen() || (path.equals("/v1/session") && method.equals(HttpMethod.POST));
  }

  /** Whether nobody has to log in. */
  boolean isOpen() {
    return right.equals(OPEN);
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
