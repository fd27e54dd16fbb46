// SPDX-License-Identifier: Apache-2.0
/**
 * Cairn beside a Redis: the same random commands to both, and every reply compared.
 *
 * <p>{@link dev.cairn.testkit.differential.CommandGenerator} makes commands, {@link
 * dev.cairn.testkit.differential.Differential} sends them one by one and compares, {@link
 * dev.cairn.testkit.differential.Pipelines} many at once. {@link
 * dev.cairn.testkit.differential.Manners} asks a fixed list of small things.
 */
package dev.cairn.testkit.differential;
