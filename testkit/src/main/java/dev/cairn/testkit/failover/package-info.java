// SPDX-License-Identifier: Apache-2.0
/**
 * How long nobody can write when a node is lost, beside etcd in the same run, and whether leaders
 * stay when nothing is wrong.
 */
package dev.cairn.testkit.failover;
