// SPDX-License-Identifier: Apache-2.0
package dev.cairn.protocol;

/**
 * What came is not RESP, exceeds a limit, or is not the reply that was asked for. After one from a
 * {@link RespReader} nothing more can be read from its connection: close it.
 */
public final class RespProtocolException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public RespProtocolException(String message) {
    super(message);
  }
}
