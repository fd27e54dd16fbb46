// SPDX-License-Identifier: Apache-2.0
/**
 * What machines and networks do to a cluster, each as a {@link dev.cairn.testkit.fault.Fault}:
 * something that begins and is healed. The long run and the tests inject them.
 *
 * <p>Knows a cluster by what {@link dev.cairn.testkit.ProcessCluster} offers to anybody.
 */
package dev.cairn.testkit.fault;
