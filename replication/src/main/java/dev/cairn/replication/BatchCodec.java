// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

import dev.cairn.consensus.Batch;

/**
 * The bytes of all that one node has for another at the end of a round.
 *
 * <pre>
 *   bytes         = format:1 nodes peers batch        format is 1
 *   nodes         = count (length:1 name)*            UTF-8; numbered from 0
 *   peers         = count (node incarnation)*         likewise; node: a number of the former
 *   batch         = flags:1 from to session beat? reply? count envelope*
 *                                                     from, to: nodes
 *   flags         = bit 0: a beat follows; bit 1: with its list; bit 2: a reply follows
 *   beat          = version question (count led*)?
 *   led           = group leader member term          leader, member: peers
 *   reply         = session version question count group*
 *   envelope      = group kind:1 from to term body    from, to: peers
 *   kind and body = 1 ballot:1 lastIndex lastTerm     VOTE
 *                 | 2 ballot:1 granted:1              VOTE_REPLY
 *                 | 3 prevIndex prevTerm commit round keep count entry*
 *                                                     APPEND
 *                 | 4 accepted:1 index hintIndex hintTerm round flushed base commit
 *                                                     APPEND_REPLY
 *                 | 5 commit round keep               BEAT
 *                 | 6 installing:1 round flushed commit
 *                                                     BEAT_REPLY
 *                 | 7 index term configurationIndex configuration
 *                                                     INSTALL
 *                 | 8 index                           INSTALL_REPLY
 *                 | 9 | 10                            TAKE_OVER | OUTDATED
 *   ballot        = 1 PRE | 2 REAL | 3 TRANSFER
 *   keep          = from configurationIndex
 *   entry         = 1 rise length data | 2 rise configuration | 3 rise
 *                                                     3: the first one of a term
 *   configuration = epoch members members count peer* voters, outgoing voters, learners
 *   members       = count (role:1 peer)*              role 1 replica, 2 witness
 * </pre>
 *
 * <p>What has no size here is a number from 0 to 2^63 - 1: 7 bits a byte, the low ones first, bit 7
 * says that another byte follows; always the shortest form. Most numbers are small, and a batch has
 * many: an answer to an append takes about 25 bytes so, and 90 in fixed widths.
 *
 * <p>An entry's index is not written, since it is one more than that of the entry before it; of its
 * term only stands by how much it rises. So no batch can say a number below 0, an index that leaves
 * a gap or a term that falls.
 *
 * <p>Names of nodes are long and come again and again, so each stands once. A group has peers of
 * its own, since each placement is another incarnation; so nodes have a table beside that of peers.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>A batch has one encoding, and what is decoded has that encoding but for the order of both
 *       tables and what in them nobody names.
 *   <li>Nothing is allocated by a count or length before as many bytes are known to be there, so
 *       memory is bounded by a multiple of the bytes.
 *   <li>An entry's data is copied once, into the one array of the whole or out of it.
 * </ol>
 */
public final class BatchCodec {
  static final int FORMAT = 1;

  static final int NAME_BYTES_MAX = 255;

  static final int WITH_BEAT = 1;
  static final int WITH_LIST = 2;
  static final int WITH_REPLY = 4;

  static final byte VOTE = 1;
  static final byte VOTE_REPLY = 2;
  static final byte APPEND = 3;
  static final byte APPEND_REPLY = 4;
  static final byte BEAT = 5;
  static final byte BEAT_REPLY = 6;
  static final byte INSTALL = 7;
  static final byte INSTALL_REPLY = 8;
  static final byte TAKE_OVER = 9;
  static final byte OUTDATED = 10;

  static final byte PRE = 1;
  static final byte REAL = 2;
  static final byte TRANSFER = 3;

  static final byte DATA = 1;
  static final byte CONFIGURATION = 2;
  static final byte FIRST = 3;

  private BatchCodec() {}

  /**
   * Writes a batch.
   *
   * @throws IllegalArgumentException when it has a number below 0, a name of more than 255 bytes,
   *     or entries that do not follow each other: no group makes such a one
   */
  public static byte[] encode(Batch batch) {
    return new BatchEncoder().encode(batch);
  }

  /**
   * Reads a batch.
   *
   * @throws BatchException when the bytes are no batch, or one of another format
   */
  public static Batch decode(byte[] bytes) {
    return new BatchDecoder(bytes).decode();
  }
}
