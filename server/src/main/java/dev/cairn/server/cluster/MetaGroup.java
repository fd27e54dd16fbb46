// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.cluster;

import dev.cairn.server.access.AccessControl;
import dev.cairn.server.access.Catalog;
import dev.cairn.server.access.Users;
import dev.cairn.server.peer.TaskLoop;
import dev.cairn.server.raft.Founders;
import dev.cairn.server.raft.GroupListener;
import dev.cairn.server.raft.Peer;
import dev.cairn.server.raft.Proposal;
import dev.cairn.server.raft.RaftEngine;
import dev.cairn.server.raft.RaftGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Raft group that holds the cluster's own state.
 *
 * <p>Its state machine could not be smaller. An entry is a whole {@link ClusterState}; it takes
 * effect if its epoch is the current one plus one, and is ignored otherwise. So every change is a
 * compare-and-set on the whole document: a controller that slept proposes the successor of a state
 * that is no more, and does no harm.
 *
 * <p>Rights are entries of their own ({@link Users#isChange}), of which the document knows nothing:
 * who is greeted with it learns no name and no hash. {@link RightsState} applies them.
 *
 * <p>The log is short (a few kilobytes for each change of membership) and is kept whole: there are
 * no snapshots, a restart replays it. The last state is also kept in a file, so that a node which
 * comes up alone knows the placement before there is a majority to tell it.
 *
 * <p>Threads: entries are applied by the group's thread; {@link #state} may be read by any.
 */
public final class MetaGroup implements AutoCloseable {
  /** The incarnation of a node that is the first of its name. */
  public static final int FIRST_INCARNATION = 1;

  private static final Logger log = LoggerFactory.getLogger(MetaGroup.class);

  private final Path file;
  private final Consumer<ClusterState> listener;
  private final Consumer<IOException> onDiskFailure;
  private final RightsState rights;
  private volatile Runnable onRights = () -> {};
  private volatile ClusterState state;
  private volatile long leadingTerm; // 0 while another node leads
  private RaftGroup group;

  private MetaGroup(
      Path file,
      ClusterState state,
      RightsState rights,
      Consumer<ClusterState> listener,
      Consumer<IOException> onDiskFailure) {
    this.file = file;
    this.state = state;
    this.rights = rights;
    this.listener = listener;
    this.onDiskFailure = onDiskFailure;
  }

  /**
   * Opens the group on this node.
   *
   * @param files where the last state is kept between starts, and the last rights
   * @param founded the state with which the cluster formed, from the node's identity
   * @param self this node, as {@code founded} has it
   * @param access acts on the rights of the log
   * @param listener told of each new state, in order, first of the one from the file; must not
   *     block
   * @param onDiskFailure told when the file cannot be written
   */
  public static MetaGroup open(
      RaftEngine engine,
      Kept files,
      ClusterState founded,
      Member self,
      AccessControl access,
      Consumer<ClusterState> listener,
      Consumer<IOException> onDiskFailure)
      throws IOException {
    Path file = files.state();
    ClusterState last = lastKnown(file, founded);
    if (!last.clusterId().equals(founded.clusterId())) {
      throw new IOException(
          file
              + " belongs to cluster "
              + last.clusterId()
              + ", this node to "
              + founded.clusterId());
    }
    // A node that came later is told the configuration by the leader; one that made it up could
    // elect itself.
    boolean first = self.incarnation() == FIRST_INCARNATION;
    RightsState rights = new RightsState(files.rights(), access, !first);
    MetaGroup meta = new MetaGroup(file, last, rights, listener, onDiskFailure);
    listener.accept(last);
    meta.group =
        engine.open(
            founded.metaGroup(),
            self.incarnation(),
            first
                ? new Founders(
                    peers(founded.metaVoters()), peers(founded.metaLearners()), List.of())
                : Founders.UNKNOWN,
            false,
            Optional.empty(),
            meta.new Listener());
    log.info("meta group opened, self={} epoch={}", self.name(), last.epoch());
    return meta;
  }

  /** The last state that was written to the file of {@link #open}, or the first one. */
  public static ClusterState lastKnown(Path file, ClusterState founded) throws IOException {
    return Files.exists(file) ? ClusterState.decode(Files.readAllBytes(file)) : founded;
  }

  /**
   * Where a node keeps what it must know before there is a majority to tell it.
   *
   * @param state the last state of the cluster
   * @param rights the last rights
   */
  public record Kept(Path state, Path rights) {
    /** Those of a node's folder. */
    public static Kept in(Path folder) {
      return new Kept(folder.resolve("cluster.json"), folder.resolve("users.acl"));
    }
  }

  /** The rights as this node has applied them. */
  RightsState rights() {
    return rights;
  }

  /** Calls somebody whenever rights were applied here. */
  void onRights(Runnable told) {
    onRights = told;
  }

  /** The node that leads the group, as far as this one knows; may wait. */
  Optional<String> leader() {
    return group.leader().map(Peer::nodeId);
  }

  /** The node that this one follows; a field read. */
  Optional<String> followed() {
    return group.followed().map(Peer::nodeId);
  }

  /** Proposes a change of rights, made of those that are applied. */
  void proposeRights(byte[] change, long term, RightsProposal proposal) {
    group.propose(change, term, proposal);
  }

  /** A change of rights that was proposed here. */
  interface RightsProposal extends Proposal {
    /**
     * It stands in the log.
     *
     * @param tookEffect whether no other change came before it
     */
    void applied(boolean tookEffect);
  }

  /** The last rights that were written to the file of {@link #open}, or others. */
  public static Users lastKnownRights(Path file, Catalog catalog, Users otherwise)
      throws IOException {
    return Files.exists(file) ? Users.decode(catalog, Files.readAllBytes(file)) : otherwise;
  }

  /** The state as this node knows it. */
  public ClusterState state() {
    return state;
  }

  /** The term in which this node leads the group, if it does. */
  public OptionalLong leadingTerm() {
    long term = leadingTerm;
    return term == 0 ? OptionalLong.empty() : OptionalLong.of(term);
  }

  /** Proposes the successor of the current state. What became of it shows in {@link #state}. */
  void propose(ClusterState next) {
    OptionalLong term = leadingTerm();
    if (term.isPresent()) {
      group.propose(next.encode(), term.getAsLong(), new LoggedProposal(next.epoch()));
    }
  }

  /** Makes the voters of this group those of the state, when this node leads and they differ. */
  void reconcileVoters() {
    ClusterState now = state;
    List<Peer> wanted = peers(now.metaVoters());
    Optional<Set<Peer>> voters = group.voters();
    if (voters.isPresent() && !voters.get().equals(Set.copyOf(wanted))) {
      log.info("the meta group's voters change from {} to {}", voters.get(), wanted);
      group.changeVoters(
          wanted,
          peers(now.metaLearners()),
          failure -> failure.ifPresent(why -> log.info("the meta group's voters stay: {}", why)));
    }
  }

  @Override
  public void close() {
    if (group != null) {
      group.close();
    }
  }

  private static List<Peer> peers(List<Member> members) {
    return members.stream().map(member -> new Peer(member.id(), member.incarnation())).toList();
  }

  /** Nobody waits for a proposal: the controller looks at the state again. */
  private record LoggedProposal(long epoch) implements Proposal {
    @Override
    public void refused(String reason) {
      log.info("epoch={} was not logged: {}", epoch, reason);
    }

    @Override
    public void unknown(String reason) {
      log.info("epoch={} may or may not have been logged: {}", epoch, reason);
    }
  }

  private final class Listener implements GroupListener {
    @Override
    public void apply(Entry entry) throws IOException {
      if (Users.isChange(entry.data())) {
        applyRights(entry);
        return;
      }
      ClusterState next = ClusterState.decode(entry.data());
      if (next.epoch() != state.epoch() + 1) {
        return; // replayed, or the successor of a state that was replaced meanwhile
      }
      try {
        TaskLoop.willBlock();
        DurableDocument.write(file, next.encode());
      } catch (IOException e) {
        onDiskFailure.accept(e);
        throw e;
      }
      state = next;
      log.info("term={} epoch={} cluster state applied", entry.term(), next.epoch());
      listener.accept(next);
    }

    private void applyRights(Entry entry) throws IOException {
      boolean tookEffect;
      try {
        TaskLoop.willBlock();
        tookEffect = rights.apply(entry.data());
      } catch (IOException e) {
        onDiskFailure.accept(e);
        throw e;
      }
      if (tookEffect) {
        log.info("term={} rights={} applied", entry.term(), rights.users().version());
        onRights.run();
      }
      entry
          .proposal()
          .filter(RightsProposal.class::isInstance)
          .ifPresent(proposal -> ((RightsProposal) proposal).applied(tookEffect));
    }

    @Override
    public void applied() {}

    @Override
    public void leaderStarted(long term) {
      leadingTerm = term;
      log.info("term={} this node is the controller", term);
    }

    @Override
    public void leaderStopped() {
      leadingTerm = 0;
    }

    @Override
    public void followingStarted(Peer leader, long term) {}

    @Override
    public void followingStopped() {}

    @Override
    public void configurationCommitted(Configuration configuration) {}

    @Override
    public void save(SnapshotPoint point, Consumer<Optional<String>> done) {
      done.accept(Optional.of("the meta group keeps its whole log"));
    }

    @Override
    public boolean load(SnapshotPoint point, Optional<Path> received, byte[] meta) {
      return false;
    }

    @Override
    public void failed(Throwable cause) {
      leadingTerm = 0;
    }
  }
}
