// SPDX-License-Identifier: Apache-2.0
/**
 * Bugs, to see whether the suite finds them. An agent writes one into the classes of a node while
 * its JVM loads them: nothing in the product switches a bug on, and these classes are in no jar of
 * it.
 */
package dev.cairn.testkit.planted;
