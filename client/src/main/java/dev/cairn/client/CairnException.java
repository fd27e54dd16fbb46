// SPDX-License-Identifier: Apache-2.0
package dev.cairn.client;

/**
 * Why a call gave no answer. Each kind says for certain what became of the request:
 *
 * <table>
 * <caption>What became of the request</caption>
 * <tr><td>{@link InvalidRequestException}</td><td>never sent</td></tr>
 * <tr><td>{@link UnavailableException}</td><td>certainly not applied; the deadline passed</td></tr>
 * <tr><td>{@link RefusedException}</td><td>certainly not applied; trying again will not help</td></tr>
 * <tr><td>{@link UnknownOutcomeException}</td><td>may or may not have been applied</td></tr>
 * <tr><td>{@link NotOnAllReplicasException}</td><td>applied, durable on a majority</td></tr>
 * </table>
 */
public abstract sealed class CairnException extends RuntimeException
    permits InvalidRequestException,
        UnavailableException,
        RefusedException,
        UnknownOutcomeException,
        NotOnAllReplicasException {
  private static final long serialVersionUID = 1L;

  CairnException(String message, Throwable cause) {
    super(message, cause);
  }
}
