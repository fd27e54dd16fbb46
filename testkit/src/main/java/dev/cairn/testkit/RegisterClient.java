// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit;

import dev.cairn.client.CairnClient;
import dev.cairn.client.CairnException;
import dev.cairn.client.NotOnAllReplicasException;
import dev.cairn.client.RefusedException;
import dev.cairn.client.UnknownOutcomeException;
import dev.cairn.protocol.ErrorCode;
import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/** One client of a history: asks one thing at a time and says what became of it. */
public interface RegisterClient extends AutoCloseable {
  /**
   * What a client was told.
   *
   * @param action what was asked, with its answer when the outcome is OK
   */
  record Answer(Observation.Outcome outcome, Action action) {
    static Answer ok(Action action) {
      return new Answer(Observation.Outcome.OK, action);
    }
  }

  /**
   * Asks, and waits for the answer or for as long as the client waits.
   *
   * @throws MalformedReplyException when what came is no answer to what was asked
   */
  Answer ask(String key, Action asked);

  /** What came is no answer to what was asked, or not the protocol at all. */
  final class MalformedReplyException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedReplyException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  @Override
  void close();

  /** The Java client as anybody uses it. */
  static RegisterClient of(CairnClient client) {
    return new OfJavaClient(client);
  }

  /**
   * A plain connection to the client port of one node, opened again when it broke.
   *
   * @param node asked for each time that a connection is opened
   */
  static RegisterClient plain(Supplier<NodeProcess> node) {
    return new OfConnection(node);
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
        return Answer.ok(answered(key, asked));
      } catch (UnknownOutcomeException e) {
        if (e.getCause() instanceof RespProtocolException) {
          throw new MalformedReplyException(e.getMessage(), e);
        }
        return new Answer(Observation.Outcome.UNKNOWN, asked);
      } catch (NotOnAllReplicasException e) {
        return Answer.ok(asked);
      } catch (RefusedException e) {
        if (e.code().equals("ERR") || e.code().equals("WRONGTYPE")) {
          throw new MalformedReplyException(asked + " on " + key + ": " + e.getMessage(), e);
        }
        return new Answer(Observation.Outcome.FAILED, asked);
      } catch (CairnException e) {
        return new Answer(Observation.Outcome.FAILED, asked);
      }
    }

    private Action answered(String key, Action asked) {
      if (asked instanceof Action.Put put) {
        client.put(key, put.value());
        return asked;
      } else if (asked instanceof Action.Get) {
        return new Action.Get(client.get(key));
      } else if (asked instanceof Action.Append append) {
        return new Action.Append(append.piece(), Optional.of(client.append(key, append.piece())));
      } else if (asked instanceof Action.Increment) {
        return new Action.Increment(Optional.of(client.increment(key, 1)));
      }
      return new Action.Delete(Optional.of(client.delete(key)));
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

    /**
     * What it sets expires, long after any run. So a history has no expiry, unless a wall clock
     * that jumped by more ({@link dev.cairn.testkit.fault.MachineFaults#CLOCK_JUMP}) moved the time
     * by which keys go.
     */
    private static final Duration EXPIRES_AFTER = Duration.ofDays(20);

    private final Supplier<NodeProcess> node;
    private RespConnection connection;

    private OfConnection(Supplier<NodeProcess> node) {
      this.node = node;
    }

    @Override
    public Answer ask(String key, Action asked) {
      boolean sent = false;
      try {
        if (connection == null) {
          NodeProcess now = node.get();
          connection = RespConnection.to(now.listenHost(), now.port(), ANSWER_MAX);
        }
        sent = true;
        return answer(asked, send(key, asked));
      } catch (RespProtocolException | ClassCastException | IllegalArgumentException e) {
        close();
        throw new MalformedReplyException(asked + " on " + key, e);
      } catch (IOException e) {
        close();
        return new Answer(sent ? Observation.Outcome.UNKNOWN : Observation.Outcome.FAILED, asked);
      }
    }

    private RespValue send(String key, Action asked) throws IOException {
      if (asked instanceof Action.Put put) {
        String seconds = Long.toString(EXPIRES_AFTER.toSeconds());
        return connection.call("SET", key, put.value(), "EX", seconds);
      } else if (asked instanceof Action.Append append) {
        return connection.call("APPEND", key, append.piece());
      } else if (asked instanceof Action.Increment) {
        return connection.call("INCR", key);
      }
      return connection.call(asked instanceof Action.Get ? "GET" : "DEL", key);
    }

    private static Answer answer(Action asked, RespValue reply) {
      if (reply instanceof RespValue.ErrorReply error) {
        if (error.code().equals("ERR") || error.code().equals("WRONGTYPE")) {
          throw new IllegalArgumentException(error.text());
        }
        return switch (ErrorCode.valueOf(error.code()).outcome()) {
          case REFUSED -> new Answer(Observation.Outcome.FAILED, asked);
          case UNKNOWN -> new Answer(Observation.Outcome.UNKNOWN, asked);
          case APPLIED -> Answer.ok(asked);
        };
      }
      return Answer.ok(answered(asked, reply));
    }

    private static Action answered(Action asked, RespValue reply) {
      if (asked instanceof Action.Get) {
        return new Action.Get(
            reply instanceof RespValue.Nil
                ? Optional.empty()
                : Optional.of(
                    new String(((RespValue.Bulk) reply).bytes(), StandardCharsets.UTF_8)));
      } else if (asked instanceof Action.Put) {
        if (!reply.equals(RespValue.OK)) {
          throw new IllegalArgumentException(RespConnection.text(reply));
        }
        return asked;
      }
      long number = ((RespValue.Int) reply).value();
      if (asked instanceof Action.Append append) {
        return new Action.Append(append.piece(), Optional.of(number));
      }
      return asked instanceof Action.Increment
          ? new Action.Increment(Optional.of(number))
          : new Action.Delete(Optional.of(number > 0));
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
