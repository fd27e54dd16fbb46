// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

/** Makes the object that carries an event. */
public interface EventFactory<T> {
  /** A new event, with nothing in it. */
  T newInstance();
}
