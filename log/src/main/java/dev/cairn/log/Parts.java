// SPDX-License-Identifier: Apache-2.0
package dev.cairn.log;

/** Puts changes together again that were cut into parts. */
final class Parts {
  private final boolean withData;
  private byte[] whole;
  private int filled;
  private long place;

  /**
   * Begins with nothing.
   *
   * @param withData whether the data of entries is wanted; its length is checked in any case
   */
  Parts(boolean withData) {
    this.withData = withData;
  }

  /** Forgets the parts of a change that never became whole. */
  void clear() {
    whole = null;
    filled = 0;
  }

  /**
   * Takes a record.
   *
   * @param at where the record's batch is; a cut change has the place of its first part
   * @return the change; null while parts are missing
   * @throws LogException of kind DAMAGED when the parts do not fit together
   */
  Change add(Batch batch, int i, long at) {
    byte kind = batch.kind(i);
    if (kind != Change.PART) {
      check(whole == null, batch);
      place = at;
      return change(batch, i, kind, wanted(kind) ? batch.payload(i) : Change.NOTHING);
    }
    int length = batch.payloadBytes(i) - BatchBuffer.PART_BYTES;
    check(length > 0, batch);
    int from = batch.partFrom(i);
    int total = batch.partTotal(i);
    byte wholeKind = batch.wholeKind(i);
    if (whole == null) {
      check(from == 0 && total > 0 && total <= Change.DATA_BYTES_MAX, batch);
      whole = wanted(wholeKind) ? new byte[total] : Change.NOTHING;
      place = at;
    }
    check(from == filled && length <= total - from, batch);
    check(!wanted(wholeKind) || whole.length == total, batch);
    if (whole.length > 0) {
      batch.payload(i, BatchBuffer.PART_BYTES, whole, from, length);
    }
    filled += length;
    if (filled < total) {
      return null;
    }
    Change change = change(batch, i, wholeKind, whole);
    clear();
    return change;
  }

  private boolean wanted(byte kind) {
    return withData || kind != Change.DATA;
  }

  /** Where the change began that was given out last. */
  long place() {
    return place;
  }

  private static Change change(Batch batch, int i, byte kind, byte[] payload) {
    return new Change(kind, batch.group(i), batch.term(i), batch.index(i), payload);
  }

  private static void check(boolean fits, Batch batch) {
    if (!fits) {
      throw new LogException(
          LogException.Kind.DAMAGED,
          "the records of batch " + batch.header().number() + " do not fit together");
    }
  }
}
