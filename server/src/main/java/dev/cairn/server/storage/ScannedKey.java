// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.storage;

import dev.cairn.state.ValueRecord;

/**
 * A key that a scan passes. Valid until the visitor returns; the key itself may be kept. Its value
 * is read only where somebody asks for it, since a scan passes thousands and values may be large.
 */
public interface ScannedKey {
  /** The user's key. */
  byte[] key();

  /** As {@link ValueRecord#version}. */
  long version();

  /** As {@link ValueRecord#expiresAtMillis}. */
  long expiresAtMillis();

  /** All of the record. */
  ValueRecord record();

  /** Sees what a scan passes. */
  @FunctionalInterface
  interface Visitor {
    /** Returns whether to go on. */
    boolean visit(ScannedKey scanned);
  }

  /** A key whose record is at hand. */
  static ScannedKey of(byte[] key, ValueRecord record) {
    return new ScannedKey() {
      @Override
      public byte[] key() {
        return key;
      }

      @Override
      public long version() {
        return record.version();
      }

      @Override
      public long expiresAtMillis() {
        return record.expiresAtMillis();
      }

      @Override
      public ValueRecord record() {
        return record;
      }
    };
  }
}
