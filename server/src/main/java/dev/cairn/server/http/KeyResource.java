// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.Limits;
import dev.cairn.protocol.Slots;
import dev.cairn.protocol.Topology;
import dev.cairn.server.access.User;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.operation.Condition;
import dev.cairn.server.operation.KeyOperation.Revision;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Request;
import dev.cairn.server.operation.Result;
import dev.cairn.server.routing.Router;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One key: {@code /v1/kv/KEY}, where KEY is all that follows, percent-decoded. Its ETag is its
 * version, which no other value of the key ever had or will have; comparing it and writing is one
 * {@link Revision} in the partition's log.
 */
final class KeyResource implements Route.Resource {
  private static final Set<String> OF_READS = Set.of("consistency");
  private static final Set<String> OF_PUT = Set.of("consistency", "ttl");
  private static final Set<String> OF_DELETE = Set.of("consistency");

  private final Router router;
  private final ClientState.Defaults levels;

  KeyResource(Router router, ClientState.Defaults levels) {
    this.router = router;
    this.levels = levels;
  }

  @Override
  public void answer(HttpCall call) {
    byte[] key = key(RequestTarget.decode(call.rest(), false));
    require(call, key);
    if (call.method().equals(HttpMethod.PUT)) {
      put(call, key);
    } else if (call.method().equals(HttpMethod.DELETE)) {
      delete(call, key);
    } else {
      read(call, key);
    }
  }

  /** A key within its bounds. */
  static byte[] key(byte[] key) {
    if (key.length < Limits.KEY_BYTES_MIN || key.length > Limits.KEY_BYTES_MAX) {
      throw new BadRequest(
          "a key has %d to %d bytes, this one %d"
              .formatted(Limits.KEY_BYTES_MIN, Limits.KEY_BYTES_MAX, key.length));
    }
    return key;
  }

  /** Each method takes the right of a command of Redis'. */
  private static void require(HttpCall call, byte[] key) {
    if (call.method().equals(HttpMethod.PUT)) {
      call.require("set", key, User.KeyUse.WRITE);
    } else if (call.method().equals(HttpMethod.DELETE)) {
      call.require("del", key, User.KeyUse.WRITE);
    } else {
      call.require("get", key, User.KeyUse.READ);
    }
  }

  /** The partition of a key. */
  static int partition(Router router, byte[] key) {
    return router.partitionOfSlot(Slots.of(key)).orElseThrow(() -> new BadRequest(notPlaced()));
  }

  static HttpAnswer notPlaced() {
    return HttpAnswer.problem(
            Problem.UNAVAILABLE,
            "the cluster has not formed yet: start its other nodes, and see /v1/cluster")
        .with("Retry-After", "1");
  }

  private void read(HttpCall call, byte[] key) {
    call.target().allowOnly(OF_READS);
    Consistency level = call.level(levels.readLevel());
    EntityTags match = tags(call, HttpHeaderNames.IF_MATCH);
    EntityTags noneMatch = tags(call, HttpHeaderNames.IF_NONE_MATCH);
    if (call.form().isEmpty()) {
      throw new BadRequest(
          HttpAnswer.problem(
                  Problem.NOT_ACCEPTABLE,
                  "a key is told as one of " + String.join(", ", KeyRecord.FORMS))
              .with("Vary", "Accept"));
    }
    Optional<ByteRange> range = ByteRange.of(call);
    // A part that its asker may not want (If-Range) is cut here; else only the part is fetched.
    ByteRange fetched =
        call.headers().contains(HttpHeaderNames.IF_RANGE)
            ? ByteRange.ALL
            : range.orElse(ByteRange.ALL);
    Query query =
        call.isHead() && !call.wantsJson() // the length of a document is known once it is made
            ? new Query.Facts(key)
            : new Query.Fetch(key, fetched.first(), fetched.last());
    router.read(
        partition(router, key),
        List.of(query),
        level,
        reply -> {
          if (reply instanceof Reply.Done done) {
            call.answer(read(call, key, done, match, noneMatch, range));
          } else {
            call.answer(Problem.of((Reply.Failed) reply));
          }
        });
  }

  private HttpAnswer read(
      HttpCall call,
      byte[] key,
      Reply.Done done,
      EntityTags match,
      EntityTags noneMatch,
      Optional<ByteRange> range) {
    Optional<KeyRecord> found = KeyRecord.of(key, done.results().get(0));
    HttpAnswer answer;
    if (found.isEmpty()) {
      answer = noSuchKey(); // whatever the conditions (RFC 9110, 13.2.1)
    } else if (!match.isEmpty() && !match.matches(found.get().tag())) {
      answer = KeyRecord.preconditionFailed(found.get().version());
    } else if (noneMatch.matchesWeakly(found.get().tag())) {
      answer = found.get().described(HttpAnswer.empty(304));
    } else {
      answer = found.get().answer(call, range);
    }
    answer = answer.with("Cairn-Node", name(done.nodeId()));
    return done.ageMillis() > 0
        ? answer.with("Cairn-Age-Millis", Long.toString(done.ageMillis()))
        : answer;
  }

  private String name(String nodeId) {
    return router.topology().node(nodeId).map(Topology.Node::name).orElse(nodeId);
  }

  private void put(HttpCall call, byte[] key) {
    call.target().allowOnly(OF_PUT);
    if (call.headers().contains(HttpHeaderNames.CONTENT_RANGE)) {
      throw new BadRequest("a value is put as a whole: send no Content-Range");
    }
    revise(
        call,
        Revision.put(key, call.body(), TimeToLive.of(call.target().text("ttl")), condition(call)));
  }

  private void delete(HttpCall call, byte[] key) {
    call.target().allowOnly(OF_DELETE);
    revise(call, Revision.delete(key, condition(call)));
  }

  private void revise(HttpCall call, Revision revision) {
    Consistency level = writeLevel(call, levels);
    router.write(
        partition(router, revision.key()),
        new Request(Optional.empty(), List.of(revision)),
        level,
        reply -> {
          if (reply instanceof Reply.Done done) {
            call.answer(
                Outcome.of(revision, done.results().get(0))
                    .answer()
                    .with("Cairn-Node", name(done.nodeId())));
          } else {
            call.answer(Problem.of((Reply.Failed) reply));
          }
        });
  }

  /** The level of a write; one replica's own word is no level of writes. */
  static Consistency writeLevel(HttpCall call, ClientState.Defaults levels) {
    Consistency level = call.level(levels.writeLevel());
    if (level == Consistency.ONE) {
      throw new BadRequest("a write is done at level quorum or all, not one");
    }
    return level;
  }

  private static EntityTags tags(HttpCall call, CharSequence header) {
    try {
      return EntityTags.of(call.headers().getAll(header));
    } catch (IllegalArgumentException e) {
      throw new BadRequest(header + ": " + e.getMessage());
    }
  }

  private static Condition condition(HttpCall call) {
    return condition(
        tags(call, HttpHeaderNames.IF_MATCH), tags(call, HttpHeaderNames.IF_NONE_MATCH));
  }

  /** What must hold of a key to be written. */
  static Condition condition(EntityTags match, EntityTags noneMatch) {
    if (!match.isEmpty() && !noneMatch.isEmpty()) {
      return both(match, noneMatch);
    }
    if (!match.isEmpty()) {
      return match.any()
          ? Condition.of(Condition.Kind.IF_PRESENT)
          : Condition.of(Condition.Kind.IF_VERSION, versions(match, false));
    }
    if (!noneMatch.isEmpty()) {
      return noneMatch.any()
          ? Condition.of(Condition.Kind.IF_ABSENT)
          : Condition.of(Condition.Kind.IF_NOT_VERSION, versions(noneMatch, true));
    }
    return Condition.ALWAYS;
  }

  /** Both must hold. */
  private static Condition both(EntityTags match, EntityTags noneMatch) {
    if (match.any() && !noneMatch.any()) {
      throw new BadRequest("beside If-None-Match with tags, If-Match has tags too");
    }
    List<Long> wanted = new ArrayList<>();
    if (!match.any() && !noneMatch.any()) {
      wanted.addAll(versions(match, false));
      wanted.removeAll(versions(noneMatch, true));
    }
    return Condition.of(Condition.Kind.IF_VERSION, wanted); // where none is left, it never holds
  }

  private static HttpAnswer noSuchKey() {
    return HttpAnswer.problem(Problem.NO_SUCH_KEY, "there is no such key");
  }

  /** Tags of ours as versions; others match nothing. If-None-Match compares weakly. */
  private static List<Long> versions(EntityTags tags, boolean weakly) {
    List<Long> versions = new ArrayList<>();
    for (String tag : tags.tags()) {
      String strong = weakly && tag.startsWith("W/") ? tag.substring(2) : tag;
      if (strong.matches("\"[1-9][0-9]{0,17}\"")) {
        versions.add(Long.parseLong(strong.substring(1, strong.length() - 1)));
      }
    }
    return versions;
  }

  /**
   * What became of a {@link Revision}.
   *
   * @param held whether its condition held
   * @param before the version before, 0: there was none
   * @param after the version now, 0: there is none
   */
  record Outcome(Revision revision, boolean failed, boolean held, long before, long after) {
    static Outcome of(Revision revision, Result result) {
      if (result instanceof Result.Many many) {
        return new Outcome(
            revision,
            false,
            KeyRecord.number(many, 0) == 1,
            KeyRecord.number(many, 1),
            KeyRecord.number(many, 2));
      }
      return new Outcome(revision, true, false, 0, 0);
    }

    HttpAnswer answer() {
      if (failed) {
        return HttpAnswer.problem(Problem.BAD_REQUEST, "the time to live is past all times");
      }
      if (before == 0 && revision.value().isEmpty()) {
        return noSuchKey(); // whatever the condition
      }
      if (!held) {
        return KeyRecord.preconditionFailed(before);
      }
      if (revision.value().isPresent()) {
        return HttpAnswer.empty(before == 0 ? 201 : 204).with("ETag", HttpCall.tag(after));
      }
      return HttpAnswer.empty(204);
    }
  }
}
