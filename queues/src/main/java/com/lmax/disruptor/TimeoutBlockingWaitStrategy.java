// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor;

import java.util.concurrent.TimeUnit;

/** See {@link WaitStrategy}. */
public final class TimeoutBlockingWaitStrategy implements WaitStrategy {
  /** The time says nothing here either. */
  public TimeoutBlockingWaitStrategy(long timeout, TimeUnit unit) {}
}
