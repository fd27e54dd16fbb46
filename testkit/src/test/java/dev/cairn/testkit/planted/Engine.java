// SPDX-License-Identifier: Apache-2.0
package dev.cairn.testkit.planted;

/** What runs a node's groups: a bug that is in one of them stands elsewhere in the other. */
enum Engine {
  JRAFT,
  /** Cairn's own ({@code docs/design/decisions/0035}). */
  OWN;

  /** That of the nodes which this JVM is or starts: {@code JAVA_TOOL_OPTIONS} reaches both. */
  static Engine ofThisJvm() {
    return Boolean.getBoolean("cairn.shards") ? OWN : JRAFT;
  }
}
