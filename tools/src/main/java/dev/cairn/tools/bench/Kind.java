// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

/** Kinds of operation, in the order in which they are reported. */
public enum Kind {
  /** {@code GET} of a key. */
  GET("get"),
  /** {@code SET} of a key that a load has written before. */
  SET("set"),
  /** {@code SET} of a key that is new. */
  INSERT("insert"),
  /** {@code GET}, then {@code SET} of the same key: one operation, two requests. */
  RMW("rmw");

  private final String text;

  Kind(String text) {
    this.text = text;
  }

  /** As {@code --mix} and the reports name it. */
  public String text() {
    return text;
  }
}
