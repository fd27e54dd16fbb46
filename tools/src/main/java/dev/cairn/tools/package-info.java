// SPDX-License-Identifier: Apache-2.0
/**
 * What a person runs: shell, one-shot commands, status, load, export, import, bench and demo.
 * Touches {@code dev.cairn.client}, {@code dev.cairn.protocol}, picocli, JLine and Jackson; must
 * never know how a node works inside: the demo starts nodes as processes.
 */
package dev.cairn.tools;
