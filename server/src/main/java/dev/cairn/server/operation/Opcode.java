// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.operation;

/**
 * The numbers by which logs and peers know operations and queries, each a series of its own ({@link
 * OperationCodec} has the grammar). Part of the format: a number is never used again.
 */
final class Opcode {
  static final int PUT = 1;
  static final int DELETE = 2;
  static final int PUT_IF = 3;
  static final int DELETE_IF = 4;
  static final int READ = 5;
  static final int EXPIRE = 6;
  static final int APPEND = 7;
  static final int OVERWRITE = 8;
  static final int INCREMENT = 9;
  static final int INCREMENT_FLOAT = 10;
  static final int BIT_FIELDS = 11;
  static final int BIT_COMBINE = 12;
  static final int RENAME = 13;
  static final int COPY = 14;
  static final int PUT_ALL = 15;
  static final int CLEAR = 16;
  static final int SWEEP = 17;
  static final int TRANSACTION = 18;
  static final int REVISION = 19;

  static final int GET = 1;
  static final int EXISTS = 2;
  static final int COUNT = 3;
  static final int FACTS = 4;
  static final int SLICE = 5;
  static final int BIT_COUNT = 6;
  static final int BIT_POSITION = 7;
  static final int READ_BIT_FIELDS = 8;
  static final int DIGEST = 9;
  static final int COMMON = 10;
  static final int RANGE = 11;
  static final int VERSION = 12;
  static final int FETCH = 13;

  private Opcode() {}
}
