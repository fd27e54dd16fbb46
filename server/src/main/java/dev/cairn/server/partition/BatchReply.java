// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.partition;

import dev.cairn.server.operation.Result;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * What became of a batch of requests that one node sent to one partition. A batch has one fate: its
 * requests travel in one proposal, or in one read.
 */
public sealed interface BatchReply {
  /**
   * Carried out.
   *
   * @param results for each request, one result for each of its operations; for reads perhaps of
   *     the first requests only, when the answers are large: the others were not done
   * @param index the log entry's index; for reads, that of the last entry in what was read
   * @param term its term; 0 for reads
   * @param ageMillis how old what was read may be, where the replica has heard no leader for a
   *     while; else 0
   */
  record Done(List<List<Result>> results, long index, long term, long ageMillis)
      implements BatchReply {
    /** What a leader has done. */
    Done(List<List<Result>> results, long index, long term) {
      this(results, index, term, 0);
    }
  }

  /**
   * Nothing was done and nothing will be.
   *
   * @param reason why
   * @param leaderId who leads instead, if that is known
   */
  record Refused(Reason reason, Optional<String> leaderId) implements BatchReply {
    /** This node does not lead, and does not say who does. */
    public static Refused notLeader() {
      return new Refused(Reason.NOT_LEADER, Optional.empty());
    }
  }

  /** It may have been carried out, or may yet be. */
  record Unknown(String why) implements BatchReply {}

  /** Why a batch was refused. */
  enum Reason {
    /** This node does not lead the partition, or not any more: another will. */
    NOT_LEADER(1),
    /** The leader cannot serve just now: it has yet to finish its start, or is handing over. */
    NOT_READY(2),
    /** The leader's queue is full. */
    BUSY(3),
    /**
     * Too few of the partition's nodes have room on their disks. Requests that need none are taken.
     */
    NO_ROOM(4);

    private final int code;

    Reason(int code) {
      this.code = code;
    }

    /** The number by which peers know it. */
    int code() {
      return code;
    }

    static Reason of(int code) throws IOException {
      for (Reason reason : values()) {
        if (reason.code == code) {
          return reason;
        }
      }
      throw new IOException("unknown reason " + code);
    }
  }
}
