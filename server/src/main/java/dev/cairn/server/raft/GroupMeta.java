// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.EnumOutter.ErrorType;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.option.RaftMetaStorageOptions;
import com.alipay.sofa.jraft.storage.RaftMetaStorage;
import dev.cairn.queues.TaskLoop;

/**
 * A group's term and vote: one row, always written together, fsynced before the answer.
 *
 * <p>Owned by JRaft's node, which calls it under its write lock. A write that fails answers false,
 * which JRaft (1.4.1) takes for "no vote given": it steps down as a candidate and does not grant as
 * a voter. The node is put into its final error state as well.
 */
final class GroupMeta implements RaftMetaStorage {
  private final GroupLog group;
  private NodeImpl node;
  private long term;
  private PeerId votedFor = PeerId.emptyPeer();
  private boolean open;

  GroupMeta(GroupLog group) {
    this.group = group;
  }

  @Override
  public synchronized boolean init(RaftMetaStorageOptions options) {
    node = options.getNode();
    if (group.damaged()) {
      return false;
    }
    LogRows.Vote vote = group.vote();
    PeerId peer = PeerId.emptyPeer();
    if (vote != null) {
      if (!peer.parse(vote.votedFor())) {
        return false;
      }
      term = vote.term();
    }
    votedFor = peer;
    open = true;
    return true;
  }

  /** Nothing to write: what was set is on disk. */
  @Override
  public synchronized void shutdown() {
    open = false;
  }

  @Override
  public synchronized boolean setTerm(long newTerm) {
    return store(newTerm, votedFor);
  }

  @Override
  public synchronized long getTerm() {
    checkOpen();
    return term;
  }

  @Override
  public synchronized boolean setVotedFor(PeerId peer) {
    return store(term, peer);
  }

  @Override
  public synchronized PeerId getVotedFor() {
    checkOpen();
    return votedFor.copy();
  }

  @Override
  public synchronized boolean setTermAndVotedFor(long newTerm, PeerId peer) {
    return store(newTerm, peer);
  }

  private boolean store(long newTerm, PeerId peer) {
    checkOpen();
    TaskLoop.willBlock(); // a leader of a later term may be noticed by a worker
    if (!group.storeVote(new LogRows.Vote(newTerm, peer.toString()))) {
      if (node != null) {
        node.onError(
            new RaftException(
                ErrorType.ERROR_TYPE_META,
                RaftError.EIO,
                "Group %s cannot store term %d and its vote",
                group.name,
                newTerm));
      }
      return false;
    }
    if (newTerm > term && node != null && peer.equals(node.getNodeId().getPeerId())) {
      group.stands();
    }
    term = newTerm;
    votedFor = peer.copy();
    return true;
  }

  private void checkOpen() {
    if (!open) {
      throw new GroupClosedException("Term and vote of group " + group.name + " are not open");
    }
  }
}
