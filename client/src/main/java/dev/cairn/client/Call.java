// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

import dev.cairn.client.Routes.Target;
import dev.cairn.protocol.Consistency;
import dev.cairn.protocol.ReplicaAttribute;
import dev.cairn.protocol.RespProtocolException;
import dev.cairn.protocol.RespValue;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * One request from its start to its end: which node next, whether again, and when no more.
 *
 * <p>The candidates of the key are tried in rounds, one {@link Attempt} at a time, until one
 * answers or the deadline passes. What ended an attempt decides:
 *
 * <pre>
 * reply                              the end
 * MOVED                              the node that it names, now
 * TRYAGAIN                           the best candidate again, after a pause
 * CLUSTERDOWN                        the next candidate
 * other refusal                      the end: RefusedException
 * cut or late, certainly not sent    the next candidate
 * cut or late, may be sent           a read, or a write with an id: the next candidate;
 *                                    a write without: the end, unknown
 * UNKNOWN                            the same, after a pause
 * </pre>
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>After an attempt of a write without an id ended unknown, there is no further attempt. One
 *       with an id has the same id at each attempt.
 *   <li>After an attempt ended unknown, the call succeeds, or ends unknown: no refusal of a later
 *       attempt speaks for an earlier one.
 *   <li>{@link UnavailableException} only when no attempt of a write may have been applied.
 *   <li>No attempt of a write begins shortly before the deadline.
 *   <li>The future ends by the deadline: always one of attempt, timer or topology refresh is
 *       pending, and each of them ends by it.
 * </ol>
 *
 * <p>Threads: one at a time, whoever ended the pending attempt or timer. {@link #stop} may come
 * from any thread.
 */
final class Call {
  private static final int MOVES_MAX = 5;
  private static final long PAUSE_MILLIS_MIN = 20;
  private static final long PAUSE_MILLIS_MAX = 200;

  /** A write sent this late could hardly be answered: it would only make a certain end unknown. */
  private static final long LAST_WRITE_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(200);

  /** What is asked, and of whom. */
  record Request(
      byte[][] arguments,
      int slot,
      boolean write,
      boolean aboutTopology,
      Optional<Consistency> level) {
    static final int NO_SLOT = -1;

    long bytes() {
      long bytes = 64;
      for (byte[] argument : arguments) {
        bytes += argument.length;
      }
      return bytes;
    }
  }

  private final CallContext context;
  private final Request request;
  private final ClientListener listener;
  private final long attemptNanosMax;
  private final long startNanos = System.nanoTime();
  private final long deadlineNanos;
  private final long lastWriteNanos; // before the deadline
  private final CompletableFuture<Answer<RespValue>> future = new CompletableFuture<>();
  private final Set<Address> reported = new HashSet<>();

  private List<Target> round = List.of();
  private int next; // index in round
  private int moves;
  private long silentNanos; // waited for nodes that gave no answer
  private long pauseMillis = PAUSE_MILLIS_MIN;
  private String refusal; // the last passing refusal
  private IOException failure; // the last reason why a node could not be asked
  private byte[][] words; // what is sent, the same at each attempt; null before the first
  private boolean repeatable; // whether the partition recognises a repetition
  private volatile boolean unsure; // an attempt of a write may have been applied
  private volatile ScheduledFuture<?> timer;
  private Attempt current; // guarded by this
  private boolean stopped; // guarded by this

  Call(
      CallContext context,
      Request request,
      ClientListener listener,
      Duration attemptTimeout,
      long deadlineNanos) {
    this.context = context;
    this.request = request;
    this.listener = listener;
    this.attemptNanosMax = attemptTimeout.toNanos();
    this.deadlineNanos = deadlineNanos;
    lastWriteNanos = Math.min(LAST_WRITE_NANOS_MAX, remainingNanos() / 4);
  }

  CompletableFuture<Answer<RespValue>> future() {
    return future;
  }

  void start() {
    if (request.aboutTopology || context.knowsTopology()) {
      beginRound();
    } else {
      CompletableFuture<?> refreshed = context.refresh(listener);
      refreshed.whenComplete((topology, failed) -> beginRound());
    }
  }

  /** The caller waits no longer. Ends the call soon, saying what became of the request. */
  void stop() {
    Attempt pending;
    synchronized (this) {
      stopped = true;
      pending = current;
    }
    if (pending == null || pending.withdraw()) {
      endUnavailable();
    } else if (pending.abandon()) {
      endLate("interrupted before the answer came");
    }
  }

  private void beginRound() {
    List<Target> preferred =
        request.slot == Request.NO_SLOT
            ? context.routes().any(request.aboutTopology && context.knowsTopology())
            : context.routes().preferred(request.slot);
    round = context.routes().usableFirst(preferred);
    next = 0;
    if (!preferred.isEmpty() && !round.get(0).equals(preferred.get(0))) {
      report(preferred.get(0).node(), round.get(0).node(), null);
    }
    tryNext();
  }

  private void tryNext() {
    if (next < round.size()) {
      attempt(round.get(next++));
    } else {
      pause();
    }
  }

  private void pause() {
    long millis = Math.min(pauseMillis, TimeUnit.NANOSECONDS.toMillis(remainingNanos()));
    pauseMillis = Math.min(PAUSE_MILLIS_MAX, pauseMillis * 2);
    long triedNanos = System.nanoTime() - startNanos - silentNanos;
    if (millis <= 0
        || triedNanos >= context.retryNanosMax()
        || !schedule(this::beginRound, TimeUnit.MILLISECONDS.toNanos(millis))) {
      endUnavailable();
    }
  }

  private void attempt(Target target) {
    long now = System.nanoTime();
    if (deadlineNanos - now <= (request.write ? lastWriteNanos : 0)) {
      endUnavailable();
      return;
    }
    Connection connection = context.connections().to(target.connect(), request.slot);
    Attempt attempt = new Attempt(words(), now, new Ending(target));
    if (!begin(attempt)) {
      endUnavailable();
      return;
    }
    long patienceNanos = Math.min(attemptNanosMax, deadlineNanos - now);
    if (!schedule(() -> late(attempt, connection, target), patienceNanos)) {
      endUnavailable();
    } else if (!connection.submit(attempt)) {
      attempt.cut(new IOException(target.connect() + " closed the connection"));
    }
  }

  /** The command, behind {@code CAIRN WITH ... DO} where it has a level or an id. */
  private byte[][] words() {
    if (words != null) {
      return words;
    }
    List<String> options = new ArrayList<>();
    request.level.ifPresent(level -> options.addAll(List.of("CONSISTENCY", level.name())));
    Optional<List<String>> id = request.write ? context.nextId() : Optional.empty();
    id.ifPresent(options::addAll);
    repeatable = !request.write || id.isPresent();
    words = request.arguments;
    if (!options.isEmpty()) {
      options.addAll(0, List.of("CAIRN", "WITH"));
      options.add("DO");
      byte[][] before = CairnClient.words(options.toArray(new String[0]));
      words = Arrays.copyOf(before, before.length + request.arguments.length);
      System.arraycopy(request.arguments, 0, words, before.length, request.arguments.length);
    }
    return words;
  }

  private synchronized boolean begin(Attempt attempt) {
    if (stopped || context.closed()) {
      return false;
    }
    current = attempt;
    return true;
  }

  /** The attempt has had its time. */
  private void late(Attempt attempt, Connection connection, Target target) {
    boolean last = remainingNanos() <= 0;
    boolean unsent = attempt.withdraw();
    if (!unsent && !repeatable && !last) {
      context.hangs(connection, attempt.startedNanos());
      // Going elsewhere could apply it twice; an answer may still come until the deadline.
      schedule(() -> late(attempt, connection, target), remainingNanos());
      return;
    }
    if (!unsent && !attempt.abandon()) {
      return;
    }
    context.hangs(connection, attempt.startedNanos());
    context.routes().failed(target.connect());
    failure = new IOException(target.node() + " gave no answer in time");
    unsure |= request.write && !unsent;
    if (unsure && (last || !repeatable)) {
      endLate("no answer from " + target.node() + " in time");
    } else if (last) {
      endUnavailable();
    } else {
      long waitedNanos = System.nanoTime() - attempt.startedNanos();
      silentNanos += waitedNanos;
      goOn(target, Duration.ofNanos(Math.min(waitedNanos, attemptNanosMax)));
    }
  }

  /** What the connection says about one attempt. */
  private final class Ending implements Attempt.Listener {
    private final Target target;

    Ending(Target target) {
      this.target = target;
    }

    @Override
    public void replied(RespValue reply) {
      timer.cancel(false);
      context.routes().answered(target.connect());
      Optional<ReplicaAttribute> attribute;
      try {
        attribute = ReplicaAttribute.of(reply);
      } catch (RespProtocolException malformed) {
        attribute = Optional.empty();
      }
      RespValue value = reply instanceof RespValue.Attributed with ? with.value() : reply;
      if (value instanceof RespValue.ErrorReply error) {
        refused(target, error);
      } else {
        future.complete(answer(value, attribute));
      }
    }

    private Answer<RespValue> answer(RespValue value, Optional<ReplicaAttribute> attribute) {
      if (attribute.isEmpty()) {
        return new Answer<>(value, target.node().toString(), List.of(), 0);
      }
      List<Answer.ReplicaState> replicas = new ArrayList<>();
      for (ReplicaAttribute.Replica replica : attribute.get().replicas()) {
        replicas.add(new Answer.ReplicaState(replica.node(), replica.durable()));
      }
      return new Answer<>(value, attribute.get().node(), replicas, attribute.get().ageMillis());
    }

    @Override
    public void cut(boolean sent, IOException cause) {
      timer.cancel(false);
      failure = cause;
      if (!sent) {
        context.routes().failed(target.connect());
      }
      unsure |= sent && request.write;
      if (sent && !repeatable) {
        context.refreshSoon(request);
        endLate("the connection to " + target.node() + " was cut before the answer came");
      } else {
        goOn(target, null);
      }
    }
  }

  private void refused(Target target, RespValue.ErrorReply error) {
    switch (error.code()) {
      case "MOVED" -> moved(error);
      case "CLUSTERDOWN" -> {
        refusal = error.text();
        context.refreshSoon(request);
        tryNext();
      }
      case "TRYAGAIN" -> {
        refusal = error.text();
        context.refreshSoon(request);
        pause();
      }
      case "UNKNOWN" -> {
        failure = new IOException(target.node() + ": " + error.text());
        if (!request.write) {
          tryNext();
        } else if (repeatable) {
          unsure = true;
          context.refreshSoon(request);
          pause();
        } else {
          fail(new UnknownOutcomeException(error.message(), null));
        }
      }
      case "NOTALL" -> fail(new NotOnAllReplicasException(error.message(), null));
      default -> {
        if (unsure) {
          endLate("an attempt had no answer, and the next was refused (" + error.text() + ")");
        } else {
          fail(new RefusedException(error.code(), error.message()));
        }
      }
    }
  }

  private void moved(RespValue.ErrorReply error) {
    refusal = error.text();
    context.refreshSoon(request);
    Optional<Address> leader = movedTo(error);
    if (leader.isEmpty() || ++moves > MOVES_MAX) {
      moves = 0;
      pause();
    } else {
      attempt(context.routes().moved(request.slot, leader.get()));
    }
  }

  /** {@code MOVED slot host:port}. */
  private static Optional<Address> movedTo(RespValue.ErrorReply error) {
    String message = error.message();
    try {
      return Optional.of(Address.parse(message.substring(message.indexOf(' ') + 1)));
    } catch (IllegalArgumentException malformed) {
      return Optional.empty();
    }
  }

  private void goOn(Target from, Duration waited) {
    context.refreshSoon(request);
    if (next < round.size()) {
      report(from.node(), round.get(next).node(), waited);
    }
    tryNext();
  }

  /** Tells of each node once a call, however many rounds there are. */
  private void report(Address node, Address nextNode, Duration waited) {
    if (node.equals(nextNode) || !reported.add(node)) {
      return;
    }
    if (waited == null) {
      listener.unavailable(node, nextNode);
    } else {
      listener.timeout(node, waited, nextNode);
    }
  }

  private void endLate(String why) {
    if (!request.write) {
      endUnavailable();
      return;
    }
    unsure = true;
    fail(
        new UnknownOutcomeException(
            why + ": the write may or may not have been applied; read the key before writing again",
            failure));
  }

  private void endUnavailable() {
    if (unsure) {
      endLate("no attempt was answered in time");
    } else if (context.closed() || stopped()) {
      fail(
          new UnavailableException(
              UnavailableException.Reason.STOPPED, "stopped before the request was sent", failure));
    } else if (refusal != null) {
      fail(
          new UnavailableException(
              UnavailableException.Reason.NO_MAJORITY,
              "no leader with a majority before the deadline (last answer: "
                  + refusal
                  + "): nothing was applied; see which nodes are down and start them",
              failure));
    } else {
      fail(
          new UnavailableException(
              UnavailableException.Reason.NO_NODE,
              "no node could be reached"
                  + (failure == null ? "" : " (" + failure.getMessage() + ")")
                  + ": nothing was applied; start a node or name others",
              failure));
    }
  }

  private void fail(CairnException exception) {
    future.completeExceptionally(exception);
  }

  private synchronized boolean stopped() {
    return stopped;
  }

  private long remainingNanos() {
    return deadlineNanos - System.nanoTime();
  }

  private boolean schedule(Runnable task, long delayNanos) {
    try {
      timer = context.timer().schedule(task, Math.max(0, delayNanos), TimeUnit.NANOSECONDS);
      return true;
    } catch (RejectedExecutionException closed) {
      return false;
    }
  }
}
