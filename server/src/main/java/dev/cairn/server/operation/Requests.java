// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.state.RequestId;
import dev.cairn.state.RequestIds;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Carries out the requests of log entries on the keys of one partition: each whole, and one that
 * has an id at most once ({@link RequestIds}). A repetition is answered as the first was and
 * changes nothing. What an id keeps as its answer is the bytes of {@link ResultCodec}.
 *
 * <p>Thread: the state machine's.
 */
public final class Requests {
  private final Keyspace keyspace;
  private final Ids ids;

  /** The ids of the partition, as the entry that is being applied finds them. */
  public interface Ids {
    /** As {@link RequestIds#recall}, at the entry's partition time. */
    RequestIds.Recalled recall(RequestId id);

    /** As {@link RequestIds#remember}. */
    void remember(RequestId id, byte[] answer);
  }

  /** Requests on keys and ids of one partition. */
  public Requests(Keyspace keyspace, Ids ids) {
    this.keyspace = keyspace;
    this.ids = ids;
  }

  /** Carries out the requests of one entry; the results of each. */
  public List<List<Result>> apply(List<Request> requests) {
    List<List<Result>> results = new ArrayList<>(requests.size());
    for (Request request : requests) {
      results.add(request.id().isEmpty() ? carryOut(request) : once(request, request.id().get()));
    }
    return results;
  }

  private List<Result> once(Request request, RequestId id) {
    RequestIds.Recalled recalled = ids.recall(id);
    return switch (recalled.known()) {
      case NEW -> {
        List<Result> results = carryOut(request);
        ids.remember(id, ResultCodec.encode(results));
        yield results;
      }
      case ANSWERED -> answer(recalled.answer());
      case TOO_LARGE -> notApplied(Result.NotApplied.Why.ANSWER_TOO_LARGE);
      case EARLY -> notApplied(Result.NotApplied.Why.EARLY);
      case FORGOTTEN -> notApplied(Result.NotApplied.Why.FORGOTTEN);
    };
  }

  private List<Result> carryOut(Request request) {
    List<Result> results = new ArrayList<>(request.operations().size());
    for (Operation operation : request.operations()) {
      results.add(operation.apply(keyspace));
    }
    return results;
  }

  private static List<Result> answer(byte[] kept) {
    try {
      return ResultCodec.decode(ByteBuffer.wrap(kept));
    } catch (IOException | BufferUnderflowException e) {
      throw new IllegalStateException("the row of a request's id cannot be read", e);
    }
  }

  private static List<Result> notApplied(Result.NotApplied.Why why) {
    return List.of(new Result.NotApplied(why));
  }
}
