// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

/**
 * One operation on its way, from its start until it succeeded or failed; then the same object
 * carries the next one, so that an operation allocates nothing. Owned by the generator's thread.
 */
final class InFlight {
  /** What the next reply to this operation answers. */
  enum Awaited {
    READ,
    WRITE,
    WAIT
  }

  /** Which client sends it: its connections are used. */
  final int client;

  Kind kind = Kind.GET;
  long key;

  /** From when its latency counts. */
  long startNanos;

  /** When it was given to a connection last, for the timeout. */
  long sentNanos;

  /** Whether the request to send is the write. */
  boolean writes;

  Awaited awaited = Awaited.READ;

  /** Whether its read found a value. */
  boolean found;

  /** How often it was sent on by {@code MOVED}. */
  int redirects;

  /** The code of the error that it met; null if none. */
  String errorCode;

  /** The whole line of that error. */
  String errorLine;

  boolean busy;

  InFlight(int client) {
    this.client = client;
  }

  /** Begins anew as an operation of this kind. */
  void begin(Kind newKind, long newKey) {
    kind = newKind;
    key = newKey;
    writes = newKind == Kind.SET || newKind == Kind.INSERT;
    found = true;
    redirects = 0;
    forgetError();
  }

  void error(String code, String line) {
    errorCode = code;
    errorLine = line;
  }

  void forgetError() {
    errorCode = null;
    errorLine = null;
  }
}
