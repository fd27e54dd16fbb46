// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.protocol.ErrorCode;
import dev.cairn.server.operation.Reply;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * The kinds of answer that are not what was asked for: problem documents (RFC 9457). A problem's
 * {@code type} is {@code /problems/NAME} at the node, which says what to do about it. Clients go by
 * the type, or by the status, which says the same but for 404, 503 and 504.
 */
enum Problem {
  BAD_REQUEST(400, "The request is not as it should be; nothing was done. The detail says what."),
  UNAUTHORIZED(
      401,
      "Who asks must say who it is, and did not, or the password is another; nothing was done. Send"
          + " the header Authorization: Basic with a user and a password."),
  FORBIDDEN(
      403,
      "The user may not do this; nothing was done. ACL SETUSER gives rights, and the resource's line"
          + " in docs/reference/http.md says which."),
  FOREIGN_ORIGIN(
      403,
      "A page of another origin may not write; nothing was done. A browser says by the headers"
          + " Origin and Sec-Fetch-Site where a page came from."),
  NO_SUCH_RESOURCE(404, "Nothing is served under this path. /openapi.yaml lists what is."),
  NO_SUCH_KEY(404, "The key is not there: never written, deleted, or expired."),
  METHOD_NOT_ALLOWED(405, "The resource does not take this method; the header Allow lists those."),
  NOT_ACCEPTABLE(
      406,
      "Nothing that the header Accept names is offered: a key is told as its bytes"
          + " (application/octet-stream), or as application/json where its value is not too long."),
  LENGTH_REQUIRED(411, "Where the body ends is not said: send it with Content-Length."),
  PRECONDITION_FAILED(
      412,
      "If-Match or If-None-Match does not hold for the key as it is; nothing was done. Read the key,"
          + " decide anew, and send its new ETag."),
  BODY_TOO_LONG(413, "The body is longer than this resource takes; nothing was done."),
  TARGET_TOO_LONG(
      414, "The request's first line is too long. Send a longer key in a body: POST /v1/batch."),
  UNSUPPORTED_CODING(415, "Bodies are taken as they are: send it without Content-Encoding."),
  RANGE_NOT_SATISFIABLE(
      416, "The range lies outside the value. The header Content-Range says how long that is."),
  EXPECTATION_FAILED(417, "Of the header Expect only 100-continue is known."),
  UNKNOWN_HOST(
      421,
      "This node is not known by the name in the header Host: ask for its address, localhost, or a"
          + " name of the cluster's. The setting --http-hosts adds names."),
  HEADERS_TOO_LONG(431, "The request's headers are too long."),
  INTERNAL_ERROR(500, "A bug: the node's log has it. Whether a write was done is not known."),
  NOT_IMPLEMENTED(
      501,
      "The method, or the transfer coding of the body, is none that this node knows; nothing was"
          + " done. The header Allow of OPTIONS lists a resource's methods."),
  UNAVAILABLE(
      503,
      "Refused for a passing reason; certainly nothing was done. Send the same again after"
          + " Retry-After, here or at another node."),
  REPLICA_MISSING(
      503,
      "Level all needs every replica, and one is down; certainly nothing was done. Start what is"
          + " down, or ask with level quorum."),
  UNKNOWN_OUTCOME(
      504,
      "The write may have been done, or may yet be. Read the key before writing again; a write with"
          + " If-Match or If-None-Match may be sent again as it is: 412, and 404 to DELETE, means that"
          + " it, or another, was done."),
  NOT_ON_ALL_REPLICAS(
      504,
      "The write is done and on disk on a majority, but was not on every replica by the deadline, as"
          + " level all asked. It is not undone."),
  UNKNOWN_VERSION(505, "The request is of another version of HTTP than 1.0 or 1.1."),
  NO_ROOM(
      507,
      "Too few nodes have room on their disks; certainly nothing was done. Make room there, or delete"
          + " keys: deletes and reads go on.");

  private static final String PATH = "/problems/";

  private final int status;
  private final String advice;

  Problem(int status, String advice) {
    this.status = status;
    this.advice = advice;
  }

  /** Its name in documents. */
  String slug() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  int status() {
    return status;
  }

  /** The document's {@code type}: where a person reads what to do. */
  String type() {
    return PATH + slug();
  }

  /** What it means and what to do. */
  String advice() {
    return advice;
  }

  static Optional<Problem> ofSlug(String slug) {
    return Arrays.stream(values()).filter(problem -> problem.slug().equals(slug)).findFirst();
  }

  /** What a failed request to a partition is over HTTP. */
  static HttpAnswer of(Reply.Failed failed) {
    Problem problem = of(failed.code());
    HttpAnswer answer =
        HttpAnswer.problem(
            problem, failed.message(), document -> document.put("code", failed.code().name()));
    boolean passes = problem.status == 503 || problem == NO_ROOM;
    return passes ? answer.with("Retry-After", "1") : answer;
  }

  private static Problem of(ErrorCode code) {
    return switch (code) {
      case CLUSTERDOWN, TRYAGAIN, MOVED -> UNAVAILABLE;
      case NOREPLICAS -> REPLICA_MISSING;
      case OOM -> NO_ROOM;
      case UNKNOWN -> UNKNOWN_OUTCOME;
      case NOTALL -> NOT_ON_ALL_REPLICAS;
      default -> BAD_REQUEST;
    };
  }
}
