// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.client.NotOnAllReplicasException;
import dev.cairn.client.UnknownOutcomeException;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.IntSupplier;

/** One client of a history: asks one thing at a time and says what became of it. */
public interface RegisterClient extends AutoCloseable {
  /**
   * What a client was told.
   *
   * @param action what was asked, with its answer when the outcome is OK
   */
  record Answer(Operation.Outcome outcome, Action action) {
    static Answer ok(Action action) {
      return new Answer(Operation.Outcome.OK, action);
    }
  }

  /** Asks, and waits for the answer or for as long as the client waits. Never throws. */
  Answer ask(String key, Action asked);

  @Override
  void close();

  /** The Java client as anybody uses it. */
  static RegisterClient of(CairnClient client) {
    return new OfJavaClient(client);
  }

  /**
   * A plain connection to the client port of one node, opened again when it broke.
   *
   * @param port asked for each time that a connection is opened
   */
  static RegisterClient plain(IntSupplier port) {
    return new OfConnection(port);
  }

  /** {@link #of}. */
  final class OfJavaClient implements RegisterClient {
    private final CairnClient client;

    private OfJavaClient(CairnClient client) {
      this.client = client;
    }

    @Override
    public Answer ask(String key, Action asked) {
      try {
        if (asked instanceof Action.Put put) {
          client.put(key, put.value());
          return Answer.ok(asked);
        }
        return Answer.ok(
            asked instanceof Action.Get
                ? new Action.Get(client.get(key))
                : new Action.Delete(Optional.of(client.delete(key))));
      } catch (UnknownOutcomeException e) {
        return new Answer(Operation.Outcome.UNKNOWN, asked);
      } catch (NotOnAllReplicasException e) {
        return Answer.ok(asked);
      } catch (CairnException e) {
        return new Answer(Operation.Outcome.FAILED, asked);
      }
    }

    @Override
    public void close() {
      client.close();
    }
  }

  /** {@link #plain}. */
  final class OfConnection implements RegisterClient {
    /** Longer than a node may take to say that it does not know. */
    private static final Duration ANSWER_MAX = Duration.ofSeconds(5);

    private final IntSupplier port;
    private RespConnection connection;

    private OfConnection(IntSupplier port) {
      this.port = port;
    }

    @Override
    public Answer ask(String key, Action asked) {
      boolean sent = false;
      try {
        if (connection == null) {
          connection = RespConnection.to(port.getAsInt(), ANSWER_MAX);
        }
        sent = true;
        return answer(asked, send(key, asked));
      } catch (IOException e) {
        close();
        return new Answer(sent ? Operation.Outcome.UNKNOWN : Operation.Outcome.FAILED, asked);
      }
    }

    private RespValue send(String key, Action asked) throws IOException {
      if (asked instanceof Action.Put put) {
        return connection.call("SET", key, put.value());
      }
      return asked instanceof Action.Get
          ? connection.call("GET", key)
          : connection.call("DEL", key);
    }

    private static Answer answer(Action asked, RespValue reply) {
      if (reply instanceof RespValue.ErrorReply error) {
        return switch (ErrorCode.valueOf(error.code()).outcome()) {
          case REFUSED -> new Answer(Operation.Outcome.FAILED, asked);
          case UNKNOWN -> new Answer(Operation.Outcome.UNKNOWN, asked);
          case APPLIED -> Answer.ok(asked);
        };
      }
      if (asked instanceof Action.Get) {
        return Answer.ok(
            new Action.Get(
                reply instanceof RespValue.Nil
                    ? Optional.empty()
                    : Optional.of(RespConnection.text(reply))));
      }
      return Answer.ok(
          asked instanceof Action.Delete
              ? new Action.Delete(Optional.of(((RespValue.Int) reply).value() > 0))
              : asked);
    }

    @Override
    public void close() {
      if (connection != null) {
        try {
          connection.close();
        } catch (IOException alreadyBroken) {
          // Nothing is lost with it.
        }
        connection = null;
      }
    }
  }
}
