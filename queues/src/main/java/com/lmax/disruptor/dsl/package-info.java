// SPDX-License-Identifier: Apache-2.0
/** How JRaft puts a queue together: see {@link com.lmax.disruptor}. */
package com.lmax.disruptor.dsl;
