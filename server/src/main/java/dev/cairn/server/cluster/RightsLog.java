// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.RightsWriter;
import dev.cairn.server.access.RuleException;
import dev.cairn.server.access.Users;
import dev.cairn.server.peer.Answer;
import dev.cairn.server.peer.PeerTransport;
import dev.cairn.server.peer.Traffic;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes the rights of the cluster, and knows how old those are that this node acts on.
 *
 * <p>The node that was asked passes a change on to the leader of the meta group. The leader makes
 * the table that follows its own, proposes the difference, and tries again where another change
 * came before it. Then the node that was asked waits until every node that is up has
 * <em>reported</em> that it acts on it: until then it may be allowed there still what was taken
 * away.
 *
 * <p>A change is certain not to hold where the leader refused it, or no byte of it left; it is
 * unknown where the answer was lost, or the lead.
 *
 * <p>Threads: any; nothing blocks but {@link MetaGroup#leader}, which runs on the scheduler.
 */
public final class RightsLog implements RightsWriter, AutoCloseable {
  /** Until when a leader must be found. Shorter than clients' patience. */
  private static final long FIND_MILLIS = 1_500;

  private static final long ANSWER_MILLIS = 2_500;
  private static final long PROPOSAL_MILLIS = 2_000;

  /** A node that has died since is down after {@link Membership#DOWN_AFTER_MILLIS}. */
  private static final long APPLY_MILLIS = 2_500;

  private static final long LOOK_MILLIS = 10;
  private static final long AGAIN_MILLIS = 50;
  private static final long AGE_LOOK_MILLIS = 200;
  private static final int TRIES = 100;

  private static final Logger log = LoggerFactory.getLogger(RightsLog.class);

  private final String selfId;
  private final MetaGroup meta;
  private final Membership membership;
  private final PeerTransport transport;
  private final ScheduledExecutorService scheduler;
  private final AccessControl access;
  private final LongSupplier nanoTime;
  private final Set<Waiting> waiting = ConcurrentHashMap.newKeySet();
  private long seededNanos; // the controller's thread

  /** Prepares; nothing happens before {@link #start}. */
  public RightsLog(
      String selfId,
      MetaGroup meta,
      Membership membership,
      PeerTransport transport,
      ScheduledExecutorService scheduler,
      AccessControl access,
      LongSupplier nanoTime) {
    this.selfId = selfId;
    this.meta = meta;
    this.membership = membership;
    this.transport = transport;
    this.scheduler = scheduler;
    this.access = access;
    this.nanoTime = nanoTime;
  }

  /** Takes changes from other nodes from now on, and looks how old the rights are. */
  public void start() {
    meta.onRights(() -> later(membership::announce, 0));
    transport.handle(PeerMessageKind.RIGHTS, this::asked);
    scheduler.scheduleWithFixedDelay(this::look, 0, AGE_LOOK_MILLIS, TimeUnit.MILLISECONDS);
    access.writer(this);
  }

  /** Takes no more changes; those under way may or may not hold. */
  @Override
  public void close() {
    access.writer(RightsWriter.NONE);
    waiting.forEach(
        one ->
            one.accept(
                new Outcome.Unknown(
                    "this node stopped before the change was decided: look with ACL LIST whether it"
                        + " holds")));
  }

  /** Whoever waits for what becomes of a change; told once. */
  private final class Waiting implements Consumer<Outcome> {
    private final Consumer<Outcome> done;

    Waiting(Consumer<Outcome> done) {
      this.done = done;
      waiting.add(this);
    }

    @Override
    public void accept(Outcome outcome) {
      if (waiting.remove(this)) {
        done.accept(outcome);
      }
    }
  }

  /** Which state of the log this node acts on. */
  public long version() {
    return meta.rights().isHeld() ? 0 : meta.rights().users().version();
  }

  /** For how long nobody has told this node what the latest rights are; 0 while somebody does. */
  public long ageMillis() {
    long millis = access.ageMillis();
    return millis < Membership.DOWN_AFTER_MILLIS ? 0 : millis;
  }

  private void look() {
    Optional<String> leader = meta.followed();
    boolean heard = meta.leadingTerm().isPresent() || leader.filter(membership::isUp).isPresent();
    if (heard) {
      access.heard(nanoTime.getAsLong());
    }
    if (meta.rights().isHeld() && heard && hasCaughtUp(leader)) {
      log.info("this node has caught up with the cluster's rights, and acts on them");
      meta.rights().release();
      later(membership::announce, 0);
    }
  }

  private boolean hasCaughtUp(Optional<String> leader) {
    long applied = meta.rights().users().version();
    return applied > 0
        && leader
            .flatMap(membership::report)
            .filter(report -> report.rightsVersion() <= applied)
            .isPresent();
  }

  /** Whether the log has rights; as the leader, begins it with those that this node has. */
  boolean hasBegun() {
    Users users = meta.rights().users();
    if (users.version() > 0) {
      return true;
    }
    long now = nanoTime.getAsLong();
    OptionalLong term = meta.leadingTerm();
    boolean waits = seededNanos != 0 && now - seededNanos < TimeUnit.SECONDS.toNanos(1);
    if (term.isPresent() && !waits) {
      seededNanos = now;
      log.info("the rights of the cluster begin with {} users", users.all().size());
      meta.proposeRights(users.first().encode(), term.getAsLong(), new Seed());
    }
    return false;
  }

  /** Nobody waits for it: the controller looks again. */
  private static final class Seed implements MetaGroup.RightsProposal {
    @Override
    public void applied(boolean tookEffect) {
      log.debug("the first rights took effect: {}", tookEffect);
    }

    @Override
    public void refused(String reason) {
      log.info("the first rights were not logged: {}", reason);
    }

    @Override
    public void unknown(String reason) {
      log.info("the first rights may or may not have been logged: {}", reason);
    }
  }

  @Override
  public void change(Change change, Consumer<Outcome> done) {
    if (RightsCodec.bytes(change) > RightsCodec.BYTES_MAX) {
      done.accept(
          new Outcome.Refused(
              Outcome.Reason.WRONG,
              "one change of rights has at most %d bytes".formatted(RightsCodec.BYTES_MAX)));
      return;
    }
    long until = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(FIND_MILLIS);
    Waiting told = new Waiting(done);
    later(() -> pass(change, until, decision -> decided(decision, told)), 0);
  }

  private void decided(RightsCodec.Decision decision, Consumer<Outcome> done) {
    switch (decision.kind()) {
      case APPLIED -> {
        long until = nanoTime.getAsLong() + TimeUnit.MILLISECONDS.toNanos(APPLY_MILLIS);
        awaitAll(decision, until, done);
      }
      case WRONG -> done.accept(new Outcome.Refused(Outcome.Reason.WRONG, decision.text()));
      case NOT_NOW -> done.accept(new Outcome.Refused(Outcome.Reason.NOT_NOW, decision.text()));
      case UNKNOWN -> done.accept(new Outcome.Unknown(decision.text()));
    }
  }

  /** Brings a change to the leader, this node or another. On the scheduler. */
  private void pass(Change change, long untilNanos, Consumer<RightsCodec.Decision> done) {
    if (meta.leadingTerm().isPresent()) {
      lead(change, TRIES, done);
      return;
    }
    Optional<String> leader = meta.leader().filter(id -> !id.equals(selfId));
    if (leader.isEmpty()) {
      again(change, untilNanos, done);
      return;
    }
    transport.sendApart(
        Traffic.CONTROL,
        leader.get(),
        PeerMessageKind.RIGHTS,
        RightsCodec.encode(change),
        ANSWER_MILLIS,
        scheduler,
        answer -> answered(change, untilNanos, answer, done));
  }

  private void answered(
      Change change, long untilNanos, Answer answer, Consumer<RightsCodec.Decision> done) {
    if (answer instanceof Answer.Received received) {
      RightsCodec.Decision decision = RightsCodec.decision(received.body());
      if (decision.kind() == RightsCodec.Kind.NOT_NOW) {
        again(change, untilNanos, done); // it leads no more, or not yet
      } else {
        done.accept(decision);
      }
    } else if (answer instanceof Answer.NotSent) {
      again(change, untilNanos, done);
    } else {
      done.accept(
          RightsCodec.Decision.unknown(
              "the leader of the cluster's rights did not answer: the change may or may not hold."
                  + " Look with ACL LIST before you make it again"));
    }
  }

  private void again(Change change, long untilNanos, Consumer<RightsCodec.Decision> done) {
    if (nanoTime.getAsLong() - untilNanos > 0) {
      done.accept(
          RightsCodec.Decision.notNow(
              "nobody leads the cluster's rights, since a majority of its first nodes is missing;"
                  + " nothing was changed. Start what is down and try again"));
    } else {
      later(() -> pass(change, untilNanos, done), AGAIN_MILLIS);
    }
  }

  private void asked(byte[] body, Consumer<byte[]> answer) {
    try {
      lead(RightsCodec.change(body), TRIES, decision -> answer.accept(decision.encode()));
    } catch (IOException e) {
      log.warn("a peer sent a change of rights that cannot be read: {}", e.getMessage());
    }
  }

  /** As the leader. */
  private void lead(Change change, int tries, Consumer<RightsCodec.Decision> done) {
    Users before = meta.rights().users();
    OptionalLong term = meta.leadingTerm();
    if (term.isEmpty() || before.version() == 0 || tries == 0) {
      done.accept(
          RightsCodec.Decision.notNow(
              "the lead of the cluster's rights moves; nothing was changed. Try again"));
      return;
    }
    Users after;
    try {
      after = change.of(before);
    } catch (RuleException wrong) {
      done.accept(RightsCodec.Decision.wrong(wrong.getMessage()));
      return;
    }
    int removed = Math.max(0, before.all().size() - after.all().size());
    if (change instanceof Change.Delete && removed == 0) {
      done.accept(RightsCodec.Decision.applied(before.version(), 0));
      return;
    }
    Proposed proposed =
        new Proposed(change, tries, RightsCodec.Decision.applied(after.version(), removed), done);
    later(() -> proposed.unknown("it took too long"), PROPOSAL_MILLIS);
    meta.proposeRights(after.encodeChange(before), term.getAsLong(), proposed);
  }

  /** A change that this node proposed as the leader; answered once. */
  private final class Proposed implements MetaGroup.RightsProposal {
    private final Change change;
    private final int tries;
    private final RightsCodec.Decision made;
    private final Consumer<RightsCodec.Decision> done;
    private final AtomicBoolean answered = new AtomicBoolean();

    Proposed(
        Change change, int tries, RightsCodec.Decision made, Consumer<RightsCodec.Decision> done) {
      this.change = change;
      this.tries = tries;
      this.made = made;
      this.done = done;
    }

    @Override
    public void applied(boolean tookEffect) {
      if (answered.compareAndSet(false, true)) {
        if (tookEffect) {
          done.accept(made);
        } else {
          later(() -> lead(change, tries - 1, done), 0);
        }
      }
    }

    @Override
    public void refused(String reason) {
      answer(
          RightsCodec.Decision.notNow(
              "the leader of the cluster's rights refused (" + reason + "); nothing was changed"));
    }

    @Override
    public void unknown(String reason) {
      answer(
          RightsCodec.Decision.unknown(
              "the change may or may not hold (%s): look with ACL LIST before you make it again"
                  .formatted(reason)));
    }

    private void answer(RightsCodec.Decision decision) {
      if (answered.compareAndSet(false, true)) {
        done.accept(decision);
      }
    }
  }

  private void awaitAll(RightsCodec.Decision decision, long untilNanos, Consumer<Outcome> done) {
    List<String> behind =
        meta.state().members().stream()
            .filter(member -> membership.isUp(member.id()))
            .filter(member -> versionOn(member.id()) < decision.version())
            .map(Member::name)
            .toList();
    if (behind.isEmpty() || nanoTime.getAsLong() - untilNanos > 0) {
      done.accept(new Outcome.Applied(decision.removed(), behind));
    } else {
      later(() -> awaitAll(decision, untilNanos, done), LOOK_MILLIS);
    }
  }

  private long versionOn(String nodeId) {
    return nodeId.equals(selfId)
        ? version()
        : membership.report(nodeId).map(NodeReport::rightsVersion).orElse(0L);
  }

  private void later(Runnable task, long millis) {
    try {
      scheduler.schedule(task, millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      log.debug("this node is stopping and changes no rights", stopping);
    }
  }
}
