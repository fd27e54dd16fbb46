// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.http;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.cairn.protocol.Consistency;
import dev.cairn.server.command.ClientState;
import dev.cairn.server.operation.Query;
import dev.cairn.server.operation.Reply;
import dev.cairn.server.operation.Result;
import dev.cairn.server.routing.Router;
import dev.cairn.server.storage.KeyRange;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Keys of the whole cluster in their unsigned byte order: {@code GET
 * /v1/kv?prefix=&start=&end=&limit=&cursor=}.
 *
 * <p>Each partition has its keys in order, and any may hold the next one. So all are asked, a few
 * at a time, for keys below the largest that still counts: a page holds the smallest {@code limit}
 * keys seen so far, and each partition's answer can only lower the bound. However many partitions
 * there are, what is held is a page and {@value #ASKED_AT_ONCE} answers.
 *
 * <p>Of a page its asker sees the keys that it may read; the cursor passes over the others.
 */
final class KeyListing implements Route.Resource {
  private static final Set<String> PARAMETERS =
      Set.of("prefix", "start", "end", "limit", "cursor", "consistency");
  private static final int LIMIT_DEFAULT = 100;
  private static final int LIMIT_MAX = 1_000;
  private static final int BYTES_MAX = 1 << 20;
  private static final int ASKED_AT_ONCE = 4;

  /** A cursor travels in base64 in the first line of a request. */
  private static final int CURSOR_BYTES_MAX = 40_000;

  /** How often a page that came out empty, of nothing but expired keys, is gone on with. */
  private static final int ROUNDS_MAX = 8;

  private final Router router;
  private final ClientState.Defaults levels;

  KeyListing(Router router, ClientState.Defaults levels) {
    this.router = router;
    this.levels = levels;
  }

  @Override
  public void answer(HttpCall call) {
    call.target().allowOnly(PARAMETERS);
    if (!call.user().may(call.asker().catalog(), "scan")) {
      throw new BadRequest(
          HttpCall.forbidden("this user has no permissions to run the 'scan' command"));
    }
    KeyRange range = range(call);
    int limit = limit(call);
    Consistency level = call.level(levels.readLevel());
    int partitions = router.topology().partitions().size();
    if (partitions == 0) {
      call.answer(KeyResource.notPlaced());
      return;
    }
    page(call, range, limit, level, partitions, ROUNDS_MAX);
  }

  private void page(
      HttpCall call, KeyRange range, int limit, Consistency level, int partitions, int rounds) {
    new Page(range, limit, level, partitions)
        .collect(
            page -> {
              if (page.failure != null) {
                call.answer(Problem.of(page.failure));
              } else if (page.keys.isEmpty() && page.truncated && rounds > 1) {
                page(call, range.startingAt(page.bound), limit, level, partitions, rounds - 1);
              } else {
                call.answer(answer(call, page));
              }
            });
  }

  private static HttpAnswer answer(HttpCall call, Page page) {
    try {
      return document(call, page);
    } catch (BadRequest tooLong) {
      return tooLong.answer();
    }
  }

  private static HttpAnswer document(HttpCall call, Page page) {
    ObjectNode document = HttpAnswer.object();
    ArrayNode keys = document.putArray("keys");
    page.keys.stream()
        .filter(key -> call.user().mayRead(call.asker().catalog(), "get", key))
        .forEach(key -> HttpCall.put(keys.addObject(), "key", key));
    if (!page.truncated) {
      document.putNull("cursor");
      return HttpAnswer.json(200, document);
    }
    byte[] next = next(page.keys.isEmpty() ? page.range.from() : page.keys.last(), page.bound);
    if (next.length > CURSOR_BYTES_MAX) {
      throw new BadRequest(
          "keys that have more than %d bytes in common are not listed page by page: SCAN does"
              .formatted(CURSOR_BYTES_MAX));
    }
    document.put("cursor", Base64.getUrlEncoder().withoutPadding().encodeToString(next));
    return HttpAnswer.json(200, document);
  }

  /** The shortest key past one and not past another: the others may be longer than a line. */
  private static byte[] next(byte[] past, byte[] bound) {
    int common = Arrays.mismatch(past, bound);
    return Arrays.copyOf(bound, common + 1);
  }

  private static KeyRange range(HttpCall call) {
    RequestTarget target = call.target();
    KeyRange range = KeyRange.prefix(target.bytes("prefix").orElse(new byte[0]));
    if (target.bytes("start").isPresent()) {
      range = range.startingAt(target.bytes("start").get());
    }
    byte[] end = target.bytes("end").orElse(new byte[0]);
    if (end.length > 0) {
      range = endingAt(range, end);
    }
    Optional<String> cursor = target.text("cursor");
    return cursor.isPresent() ? range.startingAt(decoded(cursor.get())) : range;
  }

  private static KeyRange endingAt(KeyRange range, byte[] end) {
    return range.to().length == 0 || Arrays.compareUnsigned(end, range.to()) < 0
        ? new KeyRange(range.from(), end)
        : range;
  }

  private static byte[] decoded(String cursor) {
    try {
      return Base64.getUrlDecoder().decode(cursor);
    } catch (IllegalArgumentException e) {
      throw new BadRequest("that is no cursor of an answer");
    }
  }

  private static int limit(HttpCall call) {
    String text = call.target().text("limit").orElse(Integer.toString(LIMIT_DEFAULT));
    int limit = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new BadRequest("limit is a number from 1 to " + LIMIT_MAX);
    }
    return limit;
  }

  /** One page that comes together. */
  private final class Page {
    private final KeyRange range;
    private final int limit;
    private final Consistency level;
    private final int partitions;
    private final TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned); // guarded by this
    private long bytes; // guarded by this
    private byte[] bound; // guarded by this; where the page ends, exclusive; empty: nowhere
    private boolean truncated; // guarded by this; the bound is this page's, not the range's
    private int next; // guarded by this; the partition to be asked next
    private int waiting; // guarded by this; answers that are to come
    private Reply.Failed failure; // guarded by this
    private Consumer<Page> done;

    Page(KeyRange range, int limit, Consistency level, int partitions) {
      this.range = range;
      this.limit = limit;
      this.level = level;
      this.partitions = partitions;
      this.bound = range.to();
    }

    /** Asks all partitions; {@code whenDone} sees the page when nobody touches it any more. */
    void collect(Consumer<Page> whenDone) {
      done = whenDone;
      if (range.to().length > 0 && Arrays.compareUnsigned(range.from(), range.to()) >= 0) {
        done.accept(this); // nothing lies in it
        return;
      }
      for (int i = 0; i < ASKED_AT_ONCE; i++) {
        ask();
      }
    }

    private void ask() {
      int partition;
      Query query;
      synchronized (this) {
        if (next == partitions || failure != null) {
          return;
        }
        partition = next++;
        waiting++;
        query = new Query.Range(new KeyRange(range.from(), bound), limit, BYTES_MAX, false);
      }
      router.read(partition, List.of(query), level, this::answered);
    }

    private void answered(Reply reply) {
      boolean last;
      synchronized (this) {
        if (reply instanceof Reply.Done told) {
          take((Result.Many) told.results().get(0));
        } else if (failure == null) {
          failure = (Reply.Failed) reply;
        }
        waiting--;
        last = waiting == 0 && (next == partitions || failure != null);
      }
      if (last) {
        done.accept(this);
      } else {
        ask();
      }
    }

    private void take(Result.Many answer) {
      for (Result key : answer.results().subList(1, answer.results().size())) {
        byte[] found = ((Result.Bytes) key).value();
        if (below(found) && keys.add(found)) {
          bytes += found.length;
        }
      }
      if (answer.results().get(0) instanceof Result.Bytes rest && below(rest.value())) {
        bound = rest.value();
        truncated = true;
      }
      while (!keys.isEmpty()
          && (!below(keys.last())
              || keys.size() > limit
              || (bytes > BYTES_MAX && keys.size() > 1))) {
        byte[] dropped = keys.pollLast();
        bytes -= dropped.length;
        if (below(dropped)) {
          bound = dropped;
          truncated = true;
        }
      }
    }

    private boolean below(byte[] key) {
      return bound.length == 0 || Arrays.compareUnsigned(key, bound) < 0;
    }
  }
}
