// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor.dsl;

/** How many threads may publish: any number, whatever is asked for. */
public enum ProducerType {
  /** As {@link #MULTI}. */
  SINGLE,
  /** Any number. */
  MULTI
}
