// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

import dev.cairn.protocol.ErrorCode;
import java.util.List;

/** What became of a request to one partition. Every request gets exactly one. */
public sealed interface Reply {
  /** What is said of a read whose values are more than may be gathered. */
  String READ_TOO_LARGE =
      "the values that this command asks for have more than 32 MiB; ask for fewer keys at once";

  /**
   * The request was carried out.
   *
   * @param results one for each operation or query, in their order
   * @param nodeId id of the node that led the write or answered the read
   * @param index index of the log entry that carried the write; for a read, of the last entry in
   *     what was read
   * @param term term of that entry; 0 for a read
   * @param ageMillis how old what was read may be, where the node that answered has heard no leader
   *     for a while; else 0
   */
  record Done(List<Result> results, String nodeId, long index, long term, long ageMillis)
      implements Reply {
    /** What a leader has done. */
    public Done(List<Result> results, String nodeId, long index, long term) {
      this(results, nodeId, index, term, 0);
    }
  }

  /**
   * It was not, or nobody can tell: {@link ErrorCode#outcome()} says which.
   *
   * @param message one line for a person, without the code, saying what to do next
   */
  record Failed(ErrorCode code, String message) implements Reply {}

  /** What became of a request: refused where its only result says so of the whole of it. */
  static Reply of(Done done) {
    return done.results().size() == 1
            && done.results().get(0) instanceof Result.Failed failed
            && failed.mistake() == Mistake.READ_TOO_LARGE
        ? tooLarge()
        : done;
  }

  /** A read whose values are more than may be gathered. */
  static Failed tooLarge() {
    return new Failed(ErrorCode.ERR, READ_TOO_LARGE);
  }
}
