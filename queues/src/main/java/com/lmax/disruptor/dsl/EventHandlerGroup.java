// SPDX-License-Identifier: Apache-2.0
package com.lmax.disruptor.dsl;

/** What comes behind a handler: nothing here, a queue has one. */
public final class EventHandlerGroup {
  EventHandlerGroup() {}
}
