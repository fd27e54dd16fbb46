// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

/**
 * A write-ahead log that another release of Cairn wrote, in a form that this one does not read.
 * Nothing of it was changed, and nothing is lost: the release that wrote it can go on with it. Its
 * message is for whoever starts the node.
 */
public final class ForeignLogException extends IllegalStateException {
  /** What is there, and what to do. */
  public ForeignLogException(String message) {
    super(message);
  }
}
