// SPDX-License-Identifier: Apache-2.0
package dev.cairn.server.raft;

import java.nio.file.Path;

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

  /** What is said of a log of the former form, which was a RocksDB. */
  public static ForeignLogException ofFormerForm(Path folder) {
    return new ForeignLogException(
        "The write-ahead log in "
            + folder
            + " was written by another form of Cairn, which this release cannot read; nothing was"
            + " changed. To bring the data over, start all nodes with the release that wrote it and"
            + " write the data to a file by ./cairn export. Then start this release with empty data"
            + " folders and read that file by ./cairn import");
  }
}
