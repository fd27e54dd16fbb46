// SPDX-License-Identifier: Apache-2.0
package dev.cairn.tools.bench;

/** How often each key is asked for; see {@link KeyChooser}. */
public enum Distribution {
  /** Each key as often as any other. */
  UNIFORM,
  /** A few keys most of the time, scattered over all keys. */
  ZIPFIAN,
  /** The newer a key, the more often. */
  LATEST
}
