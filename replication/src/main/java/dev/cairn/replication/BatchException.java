// SPDX-License-Identifier: Apache-2.0
package dev.cairn.replication;

/**
 * Bytes that came from another node are no batch, or one of a format that this release does not
 * know. Nothing of them was taken; the connection that brought them is of no use any more.
 */
public final class BatchException extends RuntimeException {
  BatchException(String message) {
    super(message);
  }
}
